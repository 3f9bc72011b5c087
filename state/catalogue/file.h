#pragma once

#include <string>

namespace hilo::catalogue {

// A file of a catalogue.
struct File {
  std::string path;     // such as "facts/returns.yaml"; only told in problems, never opened
  std::string content;  // YAML; "---" separates several resources
};

// A mistake in a file: what is wrong and what to write instead. Lines and columns count from 1; 0:
// the whole file.
struct Problem {
  std::string path;
  int line = 0;
  int column = 0;
  std::string message;
};

}  // namespace hilo::catalogue
