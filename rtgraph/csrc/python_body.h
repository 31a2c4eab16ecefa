// PythonBody: runs a node written in Python; PythonHost: the GIL, as the scheduler sees it.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "scheduler.h"

namespace rtgraph {

namespace py = pybind11;

class PythonHost final : public Host {
 public:
  PythonHost() : interpreter_(PyInterpreterState_Get()) {}
  void* attach() override { return PyThreadState_New(interpreter_); }
  void detach(void* thread) override {
    PyEval_RestoreThread(static_cast<PyThreadState*>(thread));
    PyThreadState_Clear(static_cast<PyThreadState*>(thread));
    PyThreadState_DeleteCurrent();
  }
  void acquire(void* thread) override { PyEval_RestoreThread(static_cast<PyThreadState*>(thread)); }
  void release(void*) override { PyEval_SaveThread(); }
  void keep(void* object) override { Py_INCREF(static_cast<PyObject*>(object)); }
  void drop(void* object) override { Py_DECREF(static_cast<PyObject*>(object)); }

 private:
  PyInterpreterState* interpreter_;
};

// What a port carries: an array of this type, or any object.
struct PortType {
  bool tensor = false;
  py::object dtype;             // numpy.dtype of a tensor
  std::vector<py::ssize_t> dims;  // -1: any size
  bool any_shape = true;
  std::size_t bytes = 0;        // of a tensor whose every dimension is fixed, else 0
  std::string text;             // for messages: "float32 [80]"

  static PortType from(const py::object& dtype, const py::object& shape);
  // Null, or what is wrong with this value.
  bool accepts(PyObject* value) const noexcept;
  std::string describe_mismatch(PyObject* value) const;
  py::object array_from(const std::byte* data) const;
};

// What `process` gets as `ctx`. Python derives rtgraph.Context from it.
class PythonContext {
 public:
  Firing* firing = nullptr;  // of the call under way; null outside of one
  const Scheduler* scheduler = nullptr;  // of the run

  int64_t timestamp_ns() const { return firing ? firing->stamp().timestamp_ns : now_ns(); }
  int64_t seq() const { return firing ? firing->stamp().seq : -1; }
  int64_t now_ns() const { return firing ? firing->now_ns() : scheduler ? scheduler->clock.now_ns(scheduler->clock.ticks()) : monotonic_ns(); }
  int64_t start_ns() const { return scheduler ? scheduler->start_ns : 0; }
  bool stopping() const { return firing && firing->stopping(); }
  void observe_clock(int64_t device_ns, int64_t monotonic_ns) {
    if (firing) firing->observe_clock(device_ns, monotonic_ns);
  }
  void elapse(int64_t ns) {
    py::gil_scoped_release unlocked;  // on a live clock it sleeps
    if (firing) firing->elapse(ns);
  }
  void waited(int64_t ns) {
    if (firing) firing->waited(ns);
  }
  void count(const std::string& what, int64_t n) {
    if (firing) firing->count(names_.insert(what).first->c_str(), n);
  }

 private:
  std::set<std::string> names_;
};

// `with ctx.waiting():` the time in between is not the node's work.
struct Waiting {
  PythonContext& context;
  int64_t since_ns = 0;

  void enter() { since_ns = monotonic_ns(); }
  void exit(const py::args&) { context.waited(monotonic_ns() - since_ns); }
};

class PythonBody final : public Body {
 public:
  PythonBody(py::object process, py::object context, std::vector<std::size_t> order, std::vector<PortType> inputs,
             std::vector<std::string> output_names, std::vector<PortType> outputs);

  bool hosted() const noexcept override { return true; }
  Outcome process(Firing& firing) noexcept override;
  void hot(HotLines& lines) const override;

 private:
  Outcome take_result(Firing& firing, PyObject* result);
  bool put_all(Firing& firing, PyObject* outputs);
  bool put_one(Firing& firing, std::size_t output, PyObject* value);
  bool put_value(Firing& firing, std::size_t output, PyObject* value, int64_t timestamp_ns);
  Outcome take_exception(Firing& firing);

  py::object process_, context_object_;
  PythonContext* context_;
  std::vector<std::size_t> order_;  // argument position -> port
  std::vector<PortType> inputs_;
  std::vector<py::object> names_;   // interned
  std::vector<PortType> outputs_;
  PyTypeObject* array_type_;  // numpy.ndarray
  PyObject* callee_ = nullptr;
  vectorcallfunc call_ = nullptr;
  std::vector<PyObject*> argv_;  // self (or a spare place, as vectorcall wants it), the inputs, the context
};

}  // namespace rtgraph
