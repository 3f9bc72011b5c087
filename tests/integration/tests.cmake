# Sends one mail as hilod does, for the tests below.
hilo_read_deps(tests/integration/mail deps)
add_executable(hilo_send_mail ${CMAKE_CURRENT_SOURCE_DIR}/integration/mail/send_main.cc)
target_link_libraries(hilo_send_mail PRIVATE hilo_compiler ${deps})
set_target_properties(hilo_send_mail PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# Programs of others: official clients against a real hub, a mail server for our mail.
if(NODE AND NPM AND TARGET hilod)
  set(peers ${CMAKE_CURRENT_SOURCE_DIR}/integration/peers)
  set(peer_modules ${peers}/node_modules/.package-lock.json)
  add_custom_command(OUTPUT ${peer_modules}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${peer_modules}
    WORKING_DIRECTORY ${peers} DEPENDS ${peers}/package-lock.json VERBATIM
    COMMENT "Fetching the clients that send to a hub in tests")
  add_custom_target(peer_packages ALL DEPENDS ${peer_modules})
  add_executable(hilo_catalogue_documents ${peers}/catalogue_documents.cc)
  target_link_libraries(hilo_catalogue_documents PRIVATE hilo_state_catalogue hilo_third_yaml)
  set_target_properties(hilo_catalogue_documents PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  foreach(peer analytics-node analytics-next catalogue-schema cloudevents smtp-server)
    add_test(NAME Peers.${peer} COMMAND ${NODE} run.mjs ${peer} WORKING_DIRECTORY ${peers})
    set_tests_properties(Peers.${peer} PROPERTIES LABELS integration TIMEOUT 300 SKIP_RETURN_CODE 77
      ENVIRONMENT "HILO_HILOD=$<TARGET_FILE:hilod>;HILO_SEND_MAIL=$<TARGET_FILE:hilo_send_mail>;HILO_CATALOGUE_DOCUMENTS=$<TARGET_FILE:hilo_catalogue_documents>")
  endforeach()
else()
  foreach(peer analytics-node analytics-next catalogue-schema cloudevents smtp-server)
    add_test(NAME Peers.${peer} COMMAND sh -c "echo 'SKIP: node and npm are not installed'; exit 77")
    set_tests_properties(Peers.${peer} PROPERTIES LABELS integration SKIP_RETURN_CODE 77)
  endforeach()
endif()

# The real process, killed again and again while real clients send; then the checker. HILO_KILLS is how often.
set(kill_test ${CMAKE_SOURCE_DIR}/tests/integration/kill/kill_test.py)
add_test(NAME integration.kill COMMAND /usr/bin/python3 ${kill_test})
set_tests_properties(integration.kill PROPERTIES LABELS integration TIMEOUT 900 SKIP_RETURN_CODE 77
  ENVIRONMENT "HILO_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")

# The same where mail is sent: at each step from what is due to what was reported.
add_test(NAME integration.outbound_kill COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/integration/kill/outbound_kill_test.py)
set_tests_properties(integration.outbound_kill PROPERTIES LABELS integration TIMEOUT 900
  ENVIRONMENT "HILO_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")

# Our mail, verified by another's DKIM and handed to a real Postfix. Debian's Python, for Debian's modules.
foreach(peer dkim postfix)
  add_test(NAME integration.${peer} COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/integration/mail/${peer}_test.py)
  set_tests_properties(integration.${peer} PROPERTIES LABELS integration TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "HILO_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endforeach()

# The real process, ended by a record until an operator skips it.
add_test(NAME integration.skip COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/integration/kill/skip_test.py)
set_tests_properties(integration.skip PROPERTIES LABELS integration TIMEOUT 300
  ENVIRONMENT "HILO_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
