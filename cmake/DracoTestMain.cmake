# The entry points that every test and fuzz executable shares.
#
# draco_test_main    GoogleTest's main, plus: on failure it prints DRACO_SEED when a test used test_seed()
# draco_fuzz_replay  main() for a fuzz target outside the fuzz preset: replays the corpus folder, then 2,000
#                    random inputs from a seed (DRACO_SEED replays it)
add_library(draco_test_main STATIC ${CMAKE_CURRENT_SOURCE_DIR}/cmake/testing/test_main.cpp)
target_include_directories(draco_test_main PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/cmake/testing/include)
target_link_libraries(draco_test_main PUBLIC GTest::gtest GTest::gmock PRIVATE draco_warnings)

add_library(draco_fuzz_replay STATIC ${CMAKE_CURRENT_SOURCE_DIR}/cmake/testing/fuzz_replay.cpp)
target_link_libraries(draco_fuzz_replay PRIVATE draco_warnings)
