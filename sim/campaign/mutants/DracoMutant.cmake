# draco_mutant(<name> SOURCE <file> REPLACE <text> BY <text> HUNTER <object library> ARGUMENTS <arguments...>)
#
# A copy of one source of core/consensus with one planted bug: <text>, which must stand in it exactly once, is replaced.
# The copy is linked in front of the library, so all that the executable runs has the bug. The CTest case
# campaign.mutant.<name> runs the hunter with these arguments, and passes if it finds the bug.
#
# Not with DRACO_UNITY: there the library's objects hold several sources, and the linker could not leave out one.
function(draco_mutant name)
  cmake_parse_arguments(M "" "SOURCE;REPLACE;BY;HUNTER" "ARGUMENTS" ${ARGN})
  if(DRACO_UNITY)
    return()
  endif()
  set(source ${CMAKE_SOURCE_DIR}/${M_SOURCE})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(FIND "${text}" "${M_REPLACE}" first)
  string(FIND "${text}" "${M_REPLACE}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "mutant ${name}: ${M_SOURCE} must have this text exactly once:\n${M_REPLACE}\n"
                        "Plant the bug where the code does that now (sim/campaign/mutants/mutants.cmake).")
  endif()
  string(REPLACE "${M_REPLACE}" "${M_BY}" mutated "${text}")
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/mutants/${name}.cpp)
  file(CONFIGURE OUTPUT ${copy} CONTENT "${mutated}" @ONLY)
  get_filename_component(folder ${source} DIRECTORY)
  set(target draco_mutant_${name})
  add_executable(${target} ${copy} $<TARGET_OBJECTS:${M_HUNTER}>)
  target_include_directories(${target} PRIVATE ${folder})
  target_link_libraries(${target} PRIVATE draco::campaign draco::consensus)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/mutants)
  set_property(GLOBAL APPEND PROPERTY DRACO_MUTANTS ${target})
  add_test(NAME campaign.mutant.${name} COMMAND ${target} ${M_ARGUMENTS})
  set_tests_properties(campaign.mutant.${name} PROPERTIES TIMEOUT 300)
endfunction()
