// The extension module rtgraph.nodes._native.
#include "makers.h"

PYBIND11_MODULE(_native, m) {
  m.doc() = "Makers of the native nodes; the classes that declare their ports lie in rtgraph/nodes/<family>/.";
  rtgraph::nodes::add_relay(m);
}
