// PythonBody: the short way from a packet to `process(...)` and back.
#include "python_body.h"

namespace rtgraph {

namespace {

// What is stamped so far in the future was stamped on another clock.
constexpr int64_t kFarAheadNs = 3'600'000'000'000;

// Looked up once: `rtgraph` itself must be importable without these.
PyObject* packet_type() {
  static PyObject* type = py::object(py::module_::import("rtgraph.packet").attr("Packet")).release().ptr();
  return type;
}
PyObject* end_of_stream() {
  static PyObject* type = py::object(py::module_::import("rtgraph.node").attr("EndOfStream")).release().ptr();
  return type;
}

PyTypeObject* array_type() {
  static PyTypeObject* type = py::detail::npy_api::get().PyArray_Type_;
  return type;
}
bool is_packet(PyObject* value) { return reinterpret_cast<PyObject*>(Py_TYPE(value)) == packet_type(); }
bool is_array(PyObject* value) { return Py_TYPE(value) == array_type() || PyType_IsSubtype(Py_TYPE(value), array_type()); }

const auto* as_array(PyObject* value) { return py::detail::array_proxy(value); }

std::string shape_text(const std::vector<py::ssize_t>& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i) text += ", ";
    text += dims[i] < 0 ? "*" : std::to_string(dims[i]);
  }
  return text + "]";
}

}  // namespace

PortType PortType::from(const py::object& dtype, const py::object& shape) {
  PortType type;
  if (dtype.is_none()) {
    type.text = "any object";
    return type;
  }
  type.tensor = true;
  type.dtype = py::dtype::from_args(dtype);
  type.any_shape = shape.is_none();
  type.text = py::str(type.dtype).cast<std::string>();
  if (type.any_shape) return type;
  bool fixed = true;
  std::size_t count = 1;
  for (const py::handle dim : shape) {
    type.dims.push_back(dim.is_none() ? -1 : dim.cast<py::ssize_t>());
    fixed = fixed && !dim.is_none();
    if (!dim.is_none()) count *= dim.cast<std::size_t>();
  }
  if (fixed) type.bytes = count * py::reinterpret_borrow<py::dtype>(type.dtype).itemsize();
  type.text += " " + shape_text(type.dims);
  return type;
}

bool PortType::accepts(PyObject* value) const noexcept {
  if (!tensor) return true;
  if (!is_array(value)) return false;
  const auto* a = as_array(value);
  if (a->descr != dtype.ptr() && !py::detail::npy_api::get().PyArray_EquivTypes_(a->descr, dtype.ptr())) return false;
  if (any_shape) return true;
  if (static_cast<std::size_t>(a->nd) != dims.size()) return false;
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (dims[i] >= 0 && dims[i] != a->dimensions[i]) return false;
  return true;
}

std::string PortType::describe_mismatch(PyObject* value) const {
  std::string got;
  if (!is_array(value)) {
    got = Py_TYPE(value)->tp_name;
  } else {
    const auto array = py::reinterpret_borrow<py::array>(value);
    got = py::str(array.dtype()).cast<std::string>() + " " +
          shape_text({array.shape(), array.shape() + array.ndim()});
  }
  std::string remedy = "; return an array of that dtype and shape";
  if (is_array(value) && !dtype.equal(py::reinterpret_borrow<py::array>(value).dtype()))
    remedy = "; return x.astype(np." + py::str(dtype).cast<std::string>() + ")";
  return "expected " + text + ", got " + got + remedy;
}

py::object PortType::array_from(const std::byte* data) const {
  return py::array(py::reinterpret_borrow<py::dtype>(dtype), dims, data);  // copies: the buffer will be reused
}

PythonBody::PythonBody(py::object process, py::object context, std::vector<std::size_t> order, std::vector<PortType> inputs,
                       std::vector<std::string> output_names, std::vector<PortType> outputs)
    : process_(std::move(process)),
      context_object_(std::move(context)),
      context_(context_object_.cast<PythonContext*>()),
      order_(std::move(order)),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      array_type_(array_type()),
      argv_(order_.size() + 2) {
  // A bound method is taken apart once, so that each call goes straight to its function.
  callee_ = process_.ptr();
  if (PyMethod_Check(callee_)) {
    argv_[0] = PyMethod_GET_SELF(callee_);
    callee_ = PyMethod_GET_FUNCTION(callee_);
  }
  call_ = PyVectorcall_Function(callee_);
  if (call_ == nullptr) throw py::type_error("process is not a function that can be called quickly; define it with def");
  for (const std::string& name : output_names) {
    names_.push_back(py::reinterpret_steal<py::object>(PyUnicode_InternFromString(name.c_str())));
  }
  packet_type();
  end_of_stream();
}

Outcome PythonBody::process(Firing& firing) noexcept {
  const std::size_t count = order_.size();
  std::vector<PyObject*>& argv = argv_;
  uint64_t made = 0;  // arguments that are new references; a node has fewer than 64 inputs
  for (std::size_t i = 0; i < count; ++i) {
    const InPort* in = firing.argument(order_[i]);
    PyObject* value = Py_None;
    if (in != nullptr) {
      value = static_cast<PyObject*>(in->value.object);
      if (value == nullptr) {
        value = inputs_[order_[i]].array_from(in->value.data).release().ptr();
        made |= uint64_t{1} << i;
      }
    }
    argv[i + 1] = value;
  }
  argv[count + 1] = context_object_.ptr();
  context_->firing = &firing;
  PyObject* result = argv[0] ? call_(callee_, argv.data(), count + 2, nullptr)
                             : call_(callee_, argv.data() + 1, (count + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
  Outcome outcome = Outcome::ok;
  try {
    if (result == nullptr) {
      outcome = take_exception(firing);
    } else if (outputs_.size() == 1 && Py_TYPE(result) == array_type_) {  // the commonest answer, without detours
      outcome = put_value(firing, 0, result, firing.stamp().timestamp_ns) ? Outcome::ok : Outcome::error;
    } else if (result != Py_None) {
      outcome = take_result(firing, result);
    }
  } catch (const std::exception& e) {  // what a user's object may do when it is looked at
    firing.node().failure.message = e.what();
    outcome = Outcome::error;
  }
  context_->firing = nullptr;
  Py_XDECREF(result);
  for (std::size_t i = 0; made != 0; ++i, made >>= 1)
    if (made & 1) Py_DECREF(argv[i + 1]);
  return outcome;
}

void PythonBody::hot(HotLines& lines) const {
  lines.add(this, sizeof *this);
  lines.add(order_);
  lines.add(inputs_);
  lines.add(outputs_);
  for (const PortType& type : outputs_) lines.add(type.dims);
  lines.add(argv_);
  lines.add(argv_[0], sizeof(PyObject) + 2 * sizeof(void*));
  lines.add(context_, sizeof *context_);
  lines.add(context_object_.ptr(), sizeof(PyObject) + 2 * sizeof(void*));
  if (!PyFunction_Check(callee_)) return;
  lines.add(callee_, sizeof(PyFunctionObject));
  PyObject* code = PyFunction_GET_CODE(callee_);
  lines.add(code, static_cast<std::size_t>(Py_TYPE(code)->tp_basicsize) + static_cast<std::size_t>(Py_SIZE(code)) * 2);
}

// One dict of outputs, a sequence of them, or the array of the only output.
Outcome PythonBody::take_result(Firing& firing, PyObject* result) {
  if (outputs_.size() == 1 && (is_array(result) || is_packet(result))) return put_one(firing, 0, result) ? Outcome::ok : Outcome::error;
  if (PyDict_Check(result)) return put_all(firing, result) ? Outcome::ok : Outcome::error;
  if (PyList_Check(result) || PyTuple_Check(result)) {
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(result);
    for (Py_ssize_t i = 0; i < n; ++i) {
      if (i > 0) firing.flush();
      PyObject* one = PySequence_Fast_GET_ITEM(result, i);
      if (!PyDict_Check(one)) {
        firing.node().failure.message = std::string("process returned a list with a ") + Py_TYPE(one)->tp_name +
                                        " in it; return None, a dict {output: value}, or a list of such dicts";
        return Outcome::error;
      }
      if (!put_all(firing, one)) return Outcome::error;
    }
    return Outcome::ok;
  }
  firing.node().failure.message = std::string("process returned a ") + Py_TYPE(result)->tp_name +
                                  "; return None, a dict {output: value}, a list of such dicts, or the array of an only output";
  return Outcome::error;
}

bool PythonBody::put_all(Firing& firing, PyObject* outputs) {
  Py_ssize_t found = 0;
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    PyObject* value = PyDict_GetItemWithError(outputs, names_[o].ptr());
    if (value == nullptr) continue;
    ++found;
    if (value != Py_None && !put_one(firing, o, value)) return false;
  }
  if (found == PyDict_GET_SIZE(outputs)) return true;
  std::string known;
  for (const py::object& name : names_) known.append(known.empty() ? "" : ", ").append(name.cast<std::string>());
  for (const auto item : py::reinterpret_borrow<py::dict>(outputs)) {
    if (std::any_of(names_.begin(), names_.end(), [&](const py::object& n) { return n.equal(item.first); })) continue;
    std::string message = "process returned an output ";
    message += py::repr(item.first).cast<std::string>();
    message += " that the node does not have; its outputs: ";
    message += known.empty() ? "none" : known;
    firing.node().failure.message = message;
    break;
  }
  return false;
}

bool PythonBody::put_one(Firing& firing, std::size_t output, PyObject* value) {
  if (is_packet(value)) {
    const py::object data = py::handle(value).attr("data"), stamp = py::handle(value).attr("timestamp_ns");
    if (!PyIndex_Check(stamp.ptr())) {
      firing.node().failure.port = names_[output].cast<std::string>();
      firing.node().failure.message = std::string("a Packet's timestamp_ns is a ") + Py_TYPE(stamp.ptr())->tp_name +
                                      "; expected a whole number of ns";
      return false;
    }
    const auto timestamp_ns = stamp.cast<int64_t>();
    if (timestamp_ns > firing.now_ns() + kFarAheadNs) {
      firing.node().failure.port = names_[output].cast<std::string>();
      firing.node().failure.message = "a Packet's timestamp_ns lies " + std::to_string((timestamp_ns - firing.now_ns()) / 3'600'000'000'000) +
                                      " hours ahead of the graph's clock; take it from ctx.now_ns() or time.monotonic_ns(), "
                                      "not from time.time_ns()";
      return false;
    }
    return put_value(firing, output, data.ptr(), timestamp_ns);
  }
  return put_value(firing, output, value, firing.stamp().timestamp_ns);
}

bool PythonBody::put_value(Firing& firing, std::size_t output, PyObject* value, int64_t timestamp_ns) {
  const PortType& type = outputs_[output];
  if (!type.accepts(value)) {
    firing.node().failure.port = names_[output].cast<std::string>();
    firing.node().failure.message = type.describe_mismatch(value);
    return false;
  }
  const std::byte* data = nullptr;
  if (type.bytes != 0) {
    if ((as_array(value)->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_) == 0) {
      const py::object packed = py::module_::import("numpy").attr("ascontiguousarray")(py::handle(value));
      return put_value(firing, output, packed.ptr(), timestamp_ns);
    }
    data = static_cast<const std::byte*>(static_cast<const void*>(as_array(value)->data));
  }
  Py_INCREF(value);
  Py_XDECREF(static_cast<PyObject*>(firing.put(output, Value{data, value}, timestamp_ns)));
  return true;
}

Outcome PythonBody::take_exception(Firing& firing) {
  py::error_already_set error;
  if (error.matches(end_of_stream())) return Outcome::end;
  Failure& failure = firing.node().failure;
  try {
    const py::object format = py::module_::import("traceback").attr("format_exception");
    failure.traceback = py::str("").attr("join")(format(error.type(), error.value(), error.trace())).cast<std::string>();
    failure.message = py::str(error.type().attr("__name__")).cast<std::string>() + ": " + py::str(error.value()).cast<std::string>();
  } catch (const std::exception& e) {
    failure.message = std::string("an exception that could not be described: ") + e.what();
  }
  if (error.matches(PyExc_StopIteration)) failure.message += "(a source ends with `raise EndOfStream`)";
  failure.port.clear();
  return Outcome::error;
}

}  // namespace rtgraph
