# Style rules run as tests, one a check, and the checks' own tests.
find_program(PYTHON3 python3 REQUIRED)
foreach(check edges calls words paths metrics shape connectors)
  add_test(NAME tidy.${check} COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tests/tidy/tidy.py ${check})
  set_tests_properties(tidy.${check} PROPERTIES LABELS tidy)
endforeach()
