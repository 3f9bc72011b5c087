# The desk's page by itself: its unit tests, and the whole page in a browser on a stand-in for the server. Then a story on a
# real hub with two desks.
if(TARGET desk_page AND NODE AND NPM AND HILO_DESK)
  set(browser_tests ${CMAKE_CURRENT_SOURCE_DIR}/browser)
  set(browser_modules ${browser_tests}/node_modules/.package-lock.json)
  add_custom_command(OUTPUT ${browser_modules}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${browser_modules}
    WORKING_DIRECTORY ${browser_tests} DEPENDS ${browser_tests}/package-lock.json VERBATIM
    COMMENT "Fetching what drives the browser in tests")
  add_custom_target(browser_test_packages ALL DEPENDS ${browser_modules})
  add_test(NAME Desk.PageUnit COMMAND ${NODE} build.mjs test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/connectors/desk/page)
  add_test(NAME Desk.PageInBrowser COMMAND ${NODE} run.mjs desk WORKING_DIRECTORY ${browser_tests})
  set_tests_properties(Desk.PageUnit PROPERTIES LABELS unit TIMEOUT 300 ENVIRONMENT "HILO_DESK_PAGE=${HILO_DESK_PAGE}")
  set_tests_properties(Desk.PageInBrowser PROPERTIES LABELS browser TIMEOUT 900 RUN_SERIAL TRUE SKIP_RETURN_CODE 77
    ENVIRONMENT "HILO_DESK_PAGE=${HILO_DESK_PAGE}")
  # A story gives time limits: nothing else may take the cores meanwhile.
  add_test(NAME Desk.StoryInBrowser COMMAND ${NODE} run.mjs story WORKING_DIRECTORY ${browser_tests})
  set_tests_properties(Desk.StoryInBrowser PROPERTIES LABELS "browser;scenario" TIMEOUT 600 SKIP_RETURN_CODE 77 RUN_SERIAL TRUE
    ENVIRONMENT "HILO_DESK_PAGE=${HILO_DESK_PAGE};HILO_BUILD=${CMAKE_BINARY_DIR}")
else()
  foreach(missing PageInBrowser StoryInBrowser)
    add_test(NAME Desk.${missing} COMMAND sh -c "echo 'SKIP: node and npm are not installed'; exit 77")
    set_tests_properties(Desk.${missing} PROPERTIES LABELS browser SKIP_RETURN_CODE 77)
  endforeach()
endif()
