// Owns the C face of the CUDA log-mel and decoder, compiled against the stand-in runtime beside it.
#include "kernels/decode/cuda.h"
#include "kernels/mel/cuda.h"

using namespace rtgraph::kernels;

extern "C" {

void* mel_batch_new(int window, int hop, int fft, int bands, int htk_power, int level, int streams) {
  MelConfig config{.window_samples = window, .hop_samples = hop, .fft_size = fft, .bands = bands};
  if (htk_power) config.scale = MelScale::htk, config.spectrum = MelSpectrum::power;
  config.level.enabled = level != 0;
  return new MelBatch(config, streams);
}
void mel_batch_push(void* batch, const float* audio, int samples, const std::uint8_t* reset, float* mel,
                    std::int32_t* hops) {
  static_cast<MelBatch*>(batch)->push(audio, samples, reset, mel, hops, nullptr);
}
std::uint64_t mel_batch_replaced(void* batch, int stream) { return static_cast<MelBatch*>(batch)->replaced()[stream]; }
void mel_batch_delete(void* batch) { delete static_cast<MelBatch*>(batch); }

void* decode_batch_new(const RigView* rig, int sessions) {
  return new DecodeBatch(DecodePlan(*rig, Isa::baseline), sessions);
}
void decode_batch_set_identity(void* batch, int session, const float* neutral, const float* joint_pivot) {
  static_cast<DecodeBatch*>(batch)->set_identity(session, neutral, joint_pivot);
}
void decode_batch_step(void* batch, const float* expression, const std::uint8_t* reset, const DecodeOutputs* out) {
  static_cast<DecodeBatch*>(batch)->step(expression, reset, *out, nullptr);
}
std::uint64_t decode_batch_replaced(void* batch, int session) {
  return static_cast<DecodeBatch*>(batch)->replaced()[session];
}
void decode_batch_delete(void* batch) { delete static_cast<DecodeBatch*>(batch); }

}  // extern "C"
