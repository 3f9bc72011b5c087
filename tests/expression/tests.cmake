# Conditions against the public cases of CEL and against another implementation, @bufbuild/cel.
set(expression_tests ${CMAKE_CURRENT_SOURCE_DIR}/expression)
hilo_read_deps(tests/expression deps)
add_executable(hilo_expression_evaluate ${expression_tests}/evaluate_main.cc)
target_link_libraries(hilo_expression_evaluate PRIVATE hilo_compiler ${deps})
set_target_properties(hilo_expression_evaluate PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NODE AND NPM)
  set(expression_modules ${expression_tests}/node_modules/.package-lock.json)
  add_custom_command(OUTPUT ${expression_modules}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${expression_modules}
    WORKING_DIRECTORY ${expression_tests} DEPENDS ${expression_tests}/package-lock.json VERBATIM
    COMMENT "Fetching the public cases of CEL and its second implementation")
  add_custom_target(expression_test_packages ALL DEPENDS ${expression_modules})
  add_dependencies(benches expression_test_packages)  # the peer of expression_bench
  foreach(what conformance differential)
    add_test(NAME Expression.${what} COMMAND ${NODE} ${what}.mjs WORKING_DIRECTORY ${expression_tests})
    set_tests_properties(Expression.${what} PROPERTIES LABELS expression TIMEOUT 300 SKIP_RETURN_CODE 77
      ENVIRONMENT "HILO_EXPRESSION_EVALUATE=$<TARGET_FILE:hilo_expression_evaluate>")
  endforeach()
else()
  foreach(what conformance differential)
    add_test(NAME Expression.${what} COMMAND sh -c "echo 'SKIP: node and npm are not installed'; exit 77")
    set_tests_properties(Expression.${what} PROPERTIES LABELS expression SKIP_RETURN_CODE 77)
  endforeach()
endif()
