#!/usr/bin/env bash
# Proves that the module rules are enforced: each forbidden arrow of docs/decisions/002 is written down in a small
# project, and the configure step (or, for an unlinked header, the compiler) must refuse it with the reason.
# usage: architecture_test.sh SOURCE_DIR SCRATCH_DIR
set -euo pipefail
source_dir=$1 scratch=$2
rm -rf "$scratch" && mkdir -p "$scratch"

# module FOLDER KIND-AND-DEPENDENCIES...: a module with one header and one source.
module() {
  local folder=$project/$1 name=${1##*/}
  shift
  mkdir -p "$folder/include/draco/$name" "$folder/src"
  echo "#pragma once" >"$folder/include/draco/$name/$name.hpp"
  echo "#include \"draco/${includes:-$name/$name}.hpp\"" >"$folder/src/$name.cpp"
  echo "draco_module($name $*)" >"$folder/CMakeLists.txt"
  echo "add_subdirectory(${folder#"$project"/})" >>"$project/CMakeLists.txt"
}

begin() {
  project=$scratch/$1
  mkdir -p "$project"
  cat >"$project/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(rules CXX)
set(CMAKE_CXX_STANDARD 23)
add_library(draco_warnings INTERFACE)
include($source_dir/cmake/DracoModule.cmake)
EOF
}

run() {
  echo "draco_check_architecture()" >>"$project/CMakeLists.txt"
  cmake -G Ninja -S "$project" -B "$project/build" -DCMAKE_CXX_COMPILER=clang++-19 \
    -DCMAKE_CXX_COMPILER_WORKS=1 -DCMAKE_CXX_ABI_COMPILED=1 >"$project/log" 2>&1 &&
    cmake --build "$project/build" >>"$project/log" 2>&1
}

accepted() { run || { cat "$project/log"; echo "FAILED: ${project##*/} must be accepted"; exit 1; }; }

refused() {
  if run; then echo "FAILED: ${project##*/} must be refused"; exit 1; fi
  # CMake wraps long messages, so white space is folded before looking for the reason.
  tr -s ' \n' ' ' <"$project/log" | grep -q "$1" || { cat "$project/log"; echo "FAILED: ${project##*/} must say: $1"; exit 1; }
}

begin allowed_arrows
module lib/leaf KIND lib
module core/interfaces KIND contract PUBLIC draco::leaf
module core/sdk KIND contract PUBLIC draco::leaf
module core/pool KIND component PUBLIC draco::interfaces PRIVATE draco::leaf
module core/rpc KIND component PUBLIC draco::interfaces
module services/cdn KIND service PUBLIC draco::sdk
module core/node KIND root PRIVATE draco::pool draco::rpc draco::cdn
accepted

begin component_links_component
module core/pool KIND component
module core/rpc KIND component PRIVATE draco::pool
refused "draco_rpc (component) may not link draco_pool (component)"

begin lib_links_core
module core/types KIND contract
module lib/leaf KIND lib PUBLIC draco::types
refused "draco_leaf (lib) may not link draco_types (contract)"

begin service_links_interfaces
module core/interfaces KIND contract
module services/cdn KIND service PUBLIC draco::interfaces
refused "draco_cdn (service) may not link the contract draco_interfaces"

begin client_links_interfaces
module core/interfaces KIND contract
module clients/cpp KIND client PUBLIC draco::interfaces
refused "draco_cpp (client) may not link the contract draco_interfaces"

begin cycle
module lib/one KIND lib PUBLIC draco::two
module lib/two KIND lib PUBLIC draco::one
refused "one links draco::two, which is not defined yet"

begin unknown_kind
module lib/one KIND plugin
refused "one has the unknown KIND 'plugin'"

begin header_without_link
module lib/one KIND lib
includes=one/one module lib/two KIND lib
refused "'draco/one/one.hpp' file not found"

begin private_dependency_stays_private
module lib/one KIND lib
module lib/two KIND lib PRIVATE draco::one
includes=one/one module lib/three KIND lib PUBLIC draco::two
refused "'draco/one/one.hpp' file not found"

echo "9 module rules hold"
