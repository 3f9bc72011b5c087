# The catalogue that the program carries: state/catalogue/default/*.yaml as literals of hilo_state_catalogue.
file(GLOB catalogue_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/state/catalogue/default/*.yaml)
list(SORT catalogue_files)
set(catalogue_literals "")
foreach(file IN LISTS catalogue_files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  get_filename_component(name ${file} NAME)
  file(READ ${file} content)
  string(APPEND catalogue_literals "      {\"${name}\", R\"catalogue(${content})catalogue\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/state/catalogue/built_in.cc @ONLY CONTENT
[[#include "state/catalogue/built_in.h"

namespace hilo::catalogue {

std::vector<File> BuiltInCatalogueFiles() {
  return {
@catalogue_literals@  };
}

}  // namespace hilo::catalogue
]])
target_sources(hilo_state_catalogue PRIVATE ${CMAKE_BINARY_DIR}/state/catalogue/built_in.cc)
