# The agent's page, built by Node into <build>/desk; hilod serves it from there. Without Node the target
# says so and builds nothing: everything else still builds.
set(desk_source ${CMAKE_SOURCE_DIR}/connectors/desk/page)
set(HILO_DESK_PAGE ${CMAKE_BINARY_DIR}/desk)
option(HILO_DESK "Build the agent's page with Node" ON)
find_program(NODE NAMES node nodejs)
find_program(NPM npm)
if(HILO_DESK AND NODE AND NPM)
  file(GLOB_RECURSE desk_files CONFIGURE_DEPENDS ${desk_source}/src/*.ts ${desk_source}/src/*.tsx
    ${desk_source}/src/*.json ${desk_source}/src/*.css ${desk_source}/src/*.html ${desk_source}/src/*.svg)
  list(FILTER desk_files EXCLUDE REGEX "/src/gen/")
  file(GLOB desk_protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/proto/hilo/v1/*.proto)
  # What npm itself writes last; in the source tree, since Node looks for packages beside the code.
  set(desk_modules ${desk_source}/node_modules/.package-lock.json)
  add_custom_command(OUTPUT ${desk_modules}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${desk_modules}
    WORKING_DIRECTORY ${desk_source} DEPENDS ${desk_source}/package-lock.json VERBATIM
    COMMENT "Fetching what the desk's page is built with")
  add_custom_command(OUTPUT ${HILO_DESK_PAGE}/app.js
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${HILO_DESK_PAGE}
    COMMAND ${NODE} build.mjs --out ${HILO_DESK_PAGE}
    WORKING_DIRECTORY ${desk_source}
    DEPENDS ${desk_modules} ${desk_files} ${desk_protos} ${desk_source}/build.mjs ${desk_source}/tsconfig.json VERBATIM
    COMMENT "Building the desk's page")
  add_custom_target(desk_page ALL DEPENDS ${HILO_DESK_PAGE}/app.js)
else()
  add_custom_target(desk_page COMMAND ${CMAKE_COMMAND} -E echo
    "desk_page: HILO_DESK is off, or node and npm are not installed; the desk's page is not built" VERBATIM)
endif()
