// Owns the Python module rtgraph.kernels._cuda, built where nvcc is: one submodule an operation. Device arrays come as
// addresses and streams as handles, so that it links no tensor library.
#include <pybind11/pybind11.h>

void bind_mel_cuda(pybind11::module_ module);
void bind_decode_cuda(pybind11::module_ module);

PYBIND11_MODULE(_cuda, module) {
  module.doc() = "The CUDA kernels. Use the functions of rtgraph.kernels.<op>.cuda, which check their arguments.";
  bind_mel_cuda(module.def_submodule("mel"));
  bind_decode_cuda(module.def_submodule("decode"));
}
