# tests/bench/<name>_bench.cc is the program hilo_<name>_bench; all share tests/bench/deps.txt. Run by hand, from a release build.
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/*_bench.cc)
hilo_read_deps(tests/bench deps)
foreach(bench IN LISTS benches)
  get_filename_component(name ${bench} NAME_WE)
  add_executable(hilo_${name} ${bench})
  target_link_libraries(hilo_${name} PRIVATE hilo_compiler ${deps} benchmark::benchmark benchmark::benchmark_main)
  set_target_properties(hilo_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endforeach()
