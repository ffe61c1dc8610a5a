# draco_module(<name> KIND <kind> [PUBLIC deps...] [PRIVATE deps...] [TEST deps...] [BENCH deps...])
#
# One folder = one target = one alias `draco::<id>` = one namespace, where <id> is <name> with underscores.
# Headers live in include/draco/<id>/ and are registered as a FILE_SET, so a module can include only what it
# links, and the target `all_verify_interface_header_sets` proves that every public header compiles alone.
#
#   test/*_test.cpp   become one executable <id>_test, its cases registered with CTest as <id>.<case>
#   bench/*_bench.cpp become one Google Benchmark executable <id>_bench
#   fuzz/*_fuzz.cpp   become one libFuzzer executable each, <id>_<file>, in the fuzz preset;
#                     in every other preset a driver replays fuzz/corpus/<file>/ and 2,000 seeded random inputs
#                     as the CTest case <id>.fuzz.<file>
#
# TEST and BENCH name what only those executables link (fuzz targets link TEST too); they may name modules that
# are defined later.
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
option(DRACO_UNITY "Compile the sources of a target together" OFF)

# What each KIND may link. The table *is* the architecture; change it only with a decision record.
set(DRACO_MAY_LINK_lib       lib)
set(DRACO_MAY_LINK_contract  lib contract)
set(DRACO_MAY_LINK_component lib contract)
set(DRACO_MAY_LINK_service   lib contract)
set(DRACO_MAY_LINK_client    lib contract)
set(DRACO_MAY_LINK_root      lib contract component service client root)
# Of the contracts, services and clients see only these.
set(DRACO_OUTSIDE_CONTRACTS  draco_sdk draco_types)

function(draco_module name)
  cmake_parse_arguments(M "" "KIND" "PUBLIC;PRIVATE;TEST;BENCH" ${ARGN})
  if(NOT DEFINED DRACO_MAY_LINK_${M_KIND})
    message(FATAL_ERROR "architecture: ${name} has the unknown KIND '${M_KIND}'")
  endif()
  string(REPLACE "-" "_" id ${name})
  # CMake links static-library cycles in silence; demanding definition order makes a cycle impossible to write.
  foreach(d IN LISTS M_PUBLIC M_PRIVATE)
    if(d MATCHES "^draco::" AND NOT TARGET ${d})
      message(FATAL_ERROR "architecture: ${name} links ${d}, which is not defined yet "
                          "(a cycle, or add_subdirectory() out of order in the root CMakeLists.txt)")
    endif()
  endforeach()
  set(target draco_${id})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/draco/${id}/*.hpp)
  file(GLOB sources CONFIGURE_DEPENDS src/*.cpp)
  if(sources)
    add_library(${target} STATIC ${sources})
    set(up PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(up INTERFACE)
  endif()
  add_library(draco::${id} ALIAS ${target})
  set_target_properties(${target} PROPERTIES DRACO_KIND ${M_KIND} DRACO_DEPS "${M_PUBLIC};${M_PRIVATE}")
  target_sources(${target} ${up} FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_link_libraries(${target} ${up} ${M_PUBLIC})
  if(sources)
    target_link_libraries(${target} PRIVATE draco_warnings ${M_PRIVATE})
    target_include_directories(${target} PRIVATE src)
    draco_compile_together(${target})
  endif()
  set_property(GLOBAL APPEND PROPERTY DRACO_TARGETS ${target})

  if(BUILD_TESTING)
    draco_tests(${id} DEPS ${target} ${M_TEST})
    draco_fuzz_targets(${id} DEPS ${target} ${M_TEST})
  endif()
  if(DRACO_BENCH)
    draco_benches(${id} DEPS ${target} ${M_BENCH})
  endif()
endfunction()

# With DRACO_UNITY a target's sources are compiled a few at a time, which reads the standard library once for all of them:
# a third of the time from nothing. The dev preset compiles each by itself, so that each includes what it uses.
function(draco_compile_together target)
  if(DRACO_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

function(draco_tests id)
  cmake_parse_arguments(T "" "" "DEPS" ${ARGN})
  file(GLOB tests CONFIGURE_DEPENDS test/*.cpp)
  if(NOT tests)
    return()
  endif()
  add_executable(draco_${id}_test ${tests})
  target_link_libraries(draco_${id}_test PRIVATE ${T_DEPS} draco_warnings draco_test_main)
  # Relative, so that one compiler cache serves every checkout; tests run in the root of theirs.
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(draco_${id}_test PRIVATE DRACO_MODULE_DIR="${folder}")
  gtest_discover_tests(draco_${id}_test TEST_PREFIX ${id}. DISCOVERY_MODE PRE_TEST
                       WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTIES TIMEOUT 300)
endfunction()

function(draco_fuzz_targets id)
  cmake_parse_arguments(F "" "" "DEPS" ${ARGN})
  file(GLOB fuzzers CONFIGURE_DEPENDS fuzz/*_fuzz.cpp)
  foreach(source IN LISTS fuzzers)
    get_filename_component(stem ${source} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" stem ${stem})
    set(target draco_fuzz_${id}_${stem})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE ${F_DEPS} draco_warnings)
    set_property(GLOBAL APPEND PROPERTY DRACO_FUZZ_TARGETS ${target})
    if(DRACO_FUZZ)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
      target_link_libraries(${target} PRIVATE draco_fuzz_replay)
      add_test(NAME ${id}.fuzz.${stem} COMMAND ${target} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${stem})
      set_tests_properties(${id}.fuzz.${stem} PROPERTIES TIMEOUT 300)
    endif()
  endforeach()
endfunction()

function(draco_benches id)
  cmake_parse_arguments(B "" "" "DEPS" ${ARGN})
  file(GLOB benches CONFIGURE_DEPENDS bench/*_bench.cpp)
  if(NOT benches)
    return()
  endif()
  add_executable(draco_${id}_bench ${benches})
  target_link_libraries(draco_${id}_bench PRIVATE ${B_DEPS} draco_warnings benchmark::benchmark)
  set_target_properties(draco_${id}_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endfunction()

# Run once, after every add_subdirectory().
function(draco_check_architecture)
  get_property(all GLOBAL PROPERTY DRACO_TARGETS)
  foreach(t IN LISTS all)
    get_target_property(kind ${t} DRACO_KIND)
    get_target_property(deps ${t} DRACO_DEPS)
    foreach(d IN LISTS deps)
      if(NOT TARGET ${d})
        continue()
      endif()
      get_target_property(real ${d} ALIASED_TARGET)
      if(NOT real)
        continue()
      endif()
      get_target_property(dkind ${real} DRACO_KIND)
      if(NOT dkind)
        continue()
      endif()
      if(NOT dkind IN_LIST DRACO_MAY_LINK_${kind})
        message(FATAL_ERROR "architecture: ${t} (${kind}) may not link ${real} (${dkind})")
      endif()
      if(kind MATCHES "^(service|client)$" AND dkind STREQUAL contract AND NOT real IN_LIST DRACO_OUTSIDE_CONTRACTS)
        message(FATAL_ERROR "architecture: ${t} (${kind}) may not link the contract ${real}")
      endif()
    endforeach()
  endforeach()
endfunction()
