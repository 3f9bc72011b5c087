# All of proto/ as one library, hilo_proto. No gRPC code is generated for our services: handlers are found by
# descriptor (connectors/serving), so that one chain serves gRPC and browsers alike.
file(GLOB_RECURSE protos CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/proto ${CMAKE_SOURCE_DIR}/proto/*.proto)
set(generated ${CMAKE_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${generated})
set(sources)
foreach(proto IN LISTS protos)
  string(REGEX REPLACE "\\.proto$" "" stem ${proto})
  add_custom_command(
    OUTPUT ${generated}/${stem}.pb.cc ${generated}/${stem}.pb.h
    COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR}/proto --cpp_out=${generated} ${proto}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/proto
    DEPENDS ${CMAKE_SOURCE_DIR}/proto/${proto} VERBATIM)
  list(APPEND sources ${generated}/${stem}.pb.cc)
endforeach()
add_library(hilo_proto STATIC ${sources})
target_include_directories(hilo_proto SYSTEM PUBLIC ${generated})
target_link_libraries(hilo_proto PUBLIC protobuf::libprotobuf)
