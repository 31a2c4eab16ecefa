# find_package(rtgraph CONFIG): the target rtgraph::node, the header against which native nodes are built.
# Its place: python -m rtgraph.native --cmake-dir
if(NOT TARGET rtgraph::node)
  add_library(rtgraph::node INTERFACE IMPORTED)
  set_target_properties(rtgraph::node PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/../include"
    INTERFACE_COMPILE_FEATURES cxx_std_17)
endif()
