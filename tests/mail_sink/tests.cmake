# A mail server that fails on purpose: linked by tests, and a program for those that need a process of its own.
hilo_folders(tests/mail_sink)
add_executable(hilo_mail_sink ${CMAKE_SOURCE_DIR}/tests/mail_sink/main.cc)
target_link_libraries(hilo_mail_sink PRIVATE hilo_tests_mail_sink)
set_target_properties(hilo_mail_sink PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
