// The extension module rtgraph.nodes._native.
#include "makers.h"

PYBIND11_MODULE(_native, m) {
  m.doc() = "Makers of the native nodes; the classes that declare their ports lie in rtgraph/nodes/<family>/.";
  using namespace rtgraph::nodes;
  add_avatar_decoder(m);
  add_eye_encoder(m);
  add_mel(m);
  add_mix(m);
  add_one_step_denoiser(m);
  add_online_encoder(m);
  add_relay(m);
  add_speech_gate(m);
}
