// Owns the Python module rtgraph.kernels._cpu: one submodule an operation, each bound in its own folder.
#include <pybind11/pybind11.h>

void bind_mel(pybind11::module_ module);
void bind_decode(pybind11::module_ module);
void bind_norm(pybind11::module_ module);
void bind_linear(pybind11::module_ module);
void bind_attention(pybind11::module_ module);
void bind_encoder_step(pybind11::module_ module);
void bind_denoiser_step(pybind11::module_ module);
void bind_eye_encoder_step(pybind11::module_ module);

PYBIND11_MODULE(_cpu, module) {
  module.doc() = "The CPU kernels. Use the functions of rtgraph.kernels.<op>, which check their arguments.";
  bind_mel(module.def_submodule("mel"));
  bind_decode(module.def_submodule("decode"));
  bind_norm(module.def_submodule("norm"));
  bind_linear(module.def_submodule("linear"));
  bind_attention(module.def_submodule("attention"));
  bind_encoder_step(module.def_submodule("encoder_step"));
  bind_denoiser_step(module.def_submodule("denoiser_step"));
  bind_eye_encoder_step(module.def_submodule("eye_encoder_step"));
}
