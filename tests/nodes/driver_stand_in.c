/* Stands in for CUDA's driver library where there is no GPU: a "captured graph" is a function of the test's. */
static int context;
static int (*last)(void);

int cuCtxGetCurrent(void** current) { return *current = &context, 0; }
int cuCtxSetCurrent(void* wanted) { return wanted == &context ? 0 : 201; }
int cuGraphLaunch(void* exec, void* stream) {
  if (stream != (void*)0x51) return 400;
  last = (int (*)(void))exec;
  return 0;
}
int cuStreamSynchronize(void* stream) { return stream == (void*)0x51 ? last() : 400; } /* work ends only here */
int cuGetErrorString(int error, const char** text) {
  *text = error == 700 ? "an illegal memory access was encountered" : error == 0 ? "no error" : "unexpected call";
  return 0;
}
