#pragma once

#include <vector>

#include "state/catalogue/catalogue.h"

namespace hilo::catalogue {

// state/catalogue/default/*.yaml as they were when the program was built, by path.
std::vector<File> BuiltInCatalogueFiles();

}  // namespace hilo::catalogue
