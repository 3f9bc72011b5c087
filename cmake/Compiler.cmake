# How our own code is compiled. Warnings are errors here and nowhere else.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(hilo_compiler INTERFACE)
target_include_directories(hilo_compiler INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(hilo_compiler INTERFACE
  -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(hilo_compiler INTERFACE -Wthread-safety)
endif()
if(HILO_SANITIZE)
  add_compile_options(-fsanitize=${HILO_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HILO_SANITIZE})
  # A finding ends the test that made it; by default undefined behaviour is only printed.
  add_compile_options(-fno-sanitize-recover=all)
  # GCC 12 sees uninitialised memory inside <regex> where it instruments it (GCC 105562).
  target_compile_options(hilo_compiler INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(HILO_SANITIZE MATCHES "thread")
    # ThreadSanitizer does not follow fences. Asio's own queues order handlers by a mutex, which it does follow.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
if(HILO_PLANTED_FAULTS)
  add_compile_definitions(HILO_PLANTED_FAULTS=1)
endif()
