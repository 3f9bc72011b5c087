# The checker and what it is tried on. hilo_dump reads a node's directory; hilo_checker_world makes ledgers and dumps of small
# hubs on a hostile log; hilo_checker_world_faults is the same with streams/fold compiled with its planted faults (tests/simulation/tests.cmake).
set(checker ${CMAKE_SOURCE_DIR}/tests/checker)
hilo_read_deps(tests/checker deps)

add_executable(hilo_dump ${checker}/dump_file.cc ${checker}/dump_main.cc)
target_link_libraries(hilo_dump PRIVATE hilo_compiler ${deps})
add_executable(hilo_poison ${checker}/dump_file.cc ${checker}/poison_main.cc)
target_link_libraries(hilo_poison PRIVATE hilo_compiler ${deps})

set(world ${checker}/dump_file.cc ${checker}/faulty_fold.cc ${checker}/world.cc ${checker}/world_main.cc)
add_executable(hilo_checker_world ${world})
target_link_libraries(hilo_checker_world PRIVATE hilo_compiler ${deps})

add_executable(hilo_checker_world_faults ${world})
target_link_libraries(hilo_checker_world_faults PRIVATE hilo_compiler hilo_fold_with_faults ${deps})

set_target_properties(hilo_dump hilo_poison hilo_checker_world hilo_checker_world_faults
  PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# What we write to logs and stores, as Python reads it.
set(python ${CMAKE_BINARY_DIR}/proto_python)
file(MAKE_DIRECTORY ${python})
add_custom_command(
  OUTPUT ${python}/hilo/store/v1/records_pb2.py ${python}/hilo/store/v1/rows_pb2.py
  COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR}/proto --python_out=${python}
          hilo/store/v1/records.proto hilo/store/v1/rows.proto
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/proto
  DEPENDS ${CMAKE_SOURCE_DIR}/proto/hilo/store/v1/records.proto ${CMAKE_SOURCE_DIR}/proto/hilo/store/v1/rows.proto VERBATIM)
add_custom_target(checker_protos ALL
  DEPENDS ${python}/hilo/store/v1/records_pb2.py ${python}/hilo/store/v1/rows_pb2.py)

# Debian's own Python, which has Debian's protobuf.
set(checker_python /usr/bin/python3)
foreach(what clean mutations faults)
  add_test(NAME checker.${what} COMMAND ${checker_python} ${checker}/checker_test.py ${what})
  set_tests_properties(checker.${what} PROPERTIES LABELS checker TIMEOUT 600
    ENVIRONMENT "HILO_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endforeach()
