# The simulation once more, with the faults that are planted in streams/fold, streams/customer and state: each must be found. The preset `faults` has them
# everywhere; here only what is small is compiled again, so that every run of the tests proves it.
file(GLOB fold CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/streams/fold/*.cc)
add_library(hilo_fold_with_faults OBJECT ${fold} ${CMAKE_SOURCE_DIR}/ops/base/fault.cc)
target_compile_definitions(hilo_fold_with_faults PUBLIC HILO_PLANTED_FAULTS=1)
target_link_libraries(hilo_fold_with_faults PUBLIC hilo_streams_fold)
file(GLOB outbound CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/streams/customer/*.cc ${CMAKE_SOURCE_DIR}/state/message/*.cc
  ${CMAKE_SOURCE_DIR}/state/consent/*.cc)
add_library(hilo_outbound_with_faults OBJECT ${outbound})
target_compile_definitions(hilo_outbound_with_faults PUBLIC HILO_PLANTED_FAULTS=1)
target_link_libraries(hilo_outbound_with_faults PUBLIC hilo_streams_customer)
if(NOT HILO_PLANTED_FAULTS)
  file(GLOB simulation CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/simulation/*.cc)
  list(FILTER simulation EXCLUDE REGEX "_simulation_test\\.cc$")
  hilo_read_deps(tests/simulation deps)
  hilo_test_binary(hilo_simulation_faults_test simulation "hilo_fold_with_faults;hilo_outbound_with_faults;${deps}" ${simulation})
endif()
