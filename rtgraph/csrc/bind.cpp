// rtgraph._core: the scheduler, as rtgraph/scheduler.py drives it.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "native_body.h"
#include "profile.h"
#include "python_body.h"
#include "scheduler.h"

namespace rtgraph {
namespace {

using namespace pybind11::literals;

template <class E>
E parse(const std::string& text, std::initializer_list<std::pair<const char*, E>> names) {
  for (const auto& [name, value] : names)
    if (text == name) return value;
  throw py::value_error("not one of the known words: " + text);
}

// A run: the C++ scheduler with the Python objects that it points to. Every method is called with the GIL, on one thread,
// but for request_stop and abort, which any thread may call.
class Run {
 public:
  Run(const std::string& clock, std::size_t sources)
      : scheduler_(parse<ClockKind>(clock, {{"system", ClockKind::system}, {"audio", ClockKind::audio}, {"manual", ClockKind::manual}}),
                   sources, &host_) {}

  ~Run() {
    scheduler_.abort();
    join();
    for (auto& e : scheduler_.edges) {
      if (!e->ring || !e->carries_objects) continue;
      for (std::size_t i = 0; i < e->ring->capacity() + 2; ++i) Py_XDECREF(static_cast<PyObject*>(e->ring->all_slots()[i].object));
    }
    for (auto& n : scheduler_.nodes)
      for (OutPort& o : n->outputs) Py_XDECREF(static_cast<PyObject*>(o.value.object));
    for (PythonContext* context : contexts_) context->scheduler = nullptr;  // nodes may keep theirs
  }

  std::size_t add_segment(const std::string& name, const std::vector<int>& cpus, int priority) {
    Segment& s = scheduler_.add_segment(name);
    s.cpus = cpus;
    s.priority = priority;
    return scheduler_.segments.size() - 1;
  }

  // inputs: [(edge kind, optional, dtype, shape)], outputs: [(name, dtype, shape)].
  std::size_t add_node(std::size_t segment, const std::string& name, const py::object& work, const py::object& context,
                       const std::vector<std::size_t>& order, const py::list& inputs, const py::list& outputs, bool fires_any,
                       bool skip_errors, const std::string& driver, double rate_hz, int64_t first_tick_ns, bool endless, int source) {
    std::vector<PortType> in_types, out_types;
    std::vector<std::string> out_names;
    std::vector<Port> ports;
    for (const auto item : inputs) {
      const auto t = item.cast<py::tuple>();
      ports.emplace_back();
      ports.back().kind = edge_kind(t[0].cast<std::string>());
      ports.back().optional = t[1].cast<bool>();
      in_types.push_back(PortType::from(t[2], t[3]));
    }
    for (const auto item : outputs) {
      const auto t = item.cast<py::tuple>();
      out_names.push_back(t[0].cast<std::string>());
      out_types.push_back(PortType::from(t[1], t[2]));
    }
    std::vector<std::size_t> bytes;
    for (const PortType& t : out_types) bytes.push_back(t.bytes);

    const bool native = PyCapsule_IsValid(work.ptr(), RTGRAPH_CAPSULE_NAME) != 0;
    std::unique_ptr<Body> body;
    if (native) {
      body = std::make_unique<NativeBody>(table_of(work));
    } else {
      body = std::make_unique<PythonBody>(work, context, order, std::move(in_types), out_names, out_types);
      context.cast<PythonContext*>()->scheduler = &scheduler_;
      contexts_.push_back(context.cast<PythonContext*>());
    }
    auto* native_body = native ? static_cast<NativeBody*>(body.get()) : nullptr;
    NodeState& n = scheduler_.add_node(*scheduler_.segments.at(segment), name, std::move(body));
    n.ports = std::move(ports);
    n.outputs.resize(bytes.size());
    for (std::size_t o = 0; o < bytes.size(); ++o) n.outputs[o].bytes = bytes[o];
    n.fires_any = fires_any;
    n.skip_errors = skip_errors;
    n.driver = parse<Driver>(driver, {{"inputs", Driver::inputs}, {"rate", Driver::rate}, {"device", Driver::device}});
    n.period_ns = rate_hz > 0 ? 1e9 / rate_hz : 0;
    n.first_tick_ns = first_tick_ns;
    n.endless = endless;
    n.source = source;
    n.only_latest = !n.ports.empty() && std::all_of(n.ports.begin(), n.ports.end(), [](const Port& p) { return p.kind == EdgeKind::latest; });
    if (native_body) native_body->prepare(n);
    out_types_.push_back(std::move(out_types));
    kept_.push_back(work);
    kept_.push_back(context);
    return static_cast<std::size_t>(n.index);
  }

  // capacity 0: inline, for two nodes of one segment.
  void connect(const std::string& name, std::size_t from, std::size_t output, std::size_t to, std::size_t port, const std::string& kind,
               const std::string& overflow, uint32_t capacity, int64_t tolerance_ns, bool feedback) {
    NodeState& producer = *scheduler_.nodes.at(from);
    Edge& e = scheduler_.connect(
        producer, output, *scheduler_.nodes.at(to), port, edge_kind(kind),
        parse<Overflow>(overflow, {{"block", Overflow::block}, {"drop_oldest", Overflow::drop_oldest},
                                   {"drop_newest", Overflow::drop_newest}, {"error", Overflow::error}}),
        capacity, tolerance_ns);
    e.name = name;
    e.feedback = feedback;
    if (capacity > 0) {
      producer.outputs.at(output).rings.push_back(&e);
    } else {
      producer.outputs.at(output).inlined.emplace_back(nullptr, &e);
    }
  }

  void prime(std::size_t node, std::size_t output, const py::object& value, int64_t timestamp_ns) {
    const PortType& type = out_types_.at(node).at(output);
    if (!type.accepts(value.ptr())) throw py::type_error(type.describe_mismatch(value.ptr()));
    py::object array = value;
    const std::byte* data = nullptr;
    if (type.bytes != 0) {
      array = py::module_::import("numpy").attr("ascontiguousarray")(value);
      data = static_cast<const std::byte*>(py::reinterpret_borrow<py::array>(array).data());
    }
    scheduler_.prime(*scheduler_.nodes.at(node), output, Value{data, array.ptr()}, timestamp_ns);
  }

  void start(int64_t duration_ns) {
    scheduler_.duration_ns = duration_ns;
    py::gil_scoped_release unlocked;
    scheduler_.start();
  }
  bool wait(double timeout_s) {
    py::gil_scoped_release unlocked;
    return scheduler_.wait(static_cast<int64_t>(timeout_s * 1e9));
  }
  void join() {
    py::gil_scoped_release unlocked;
    scheduler_.join();
  }

  // None, or (node, port, seq, message, traceback) of the node whose error ended the run.
  py::object failure() const {
    const NodeState* n = scheduler_.first_failure();
    return n ? failure_of(*n) : py::none();
  }
  // The last error of each node that has had one and went on.
  py::dict errors() const {
    py::dict all;
    for (const auto& n : scheduler_.nodes)
      if (n->errors.get() > 0) all[py::str(n->name)] = failure_of(*n);
    return all;
  }

  py::dict profile() const { return make_profile(scheduler_); }
  py::list trace() const { return make_trace(scheduler_); }
  Scheduler& scheduler() { return scheduler_; }

  static const rtgraph_node* table_of(const py::object& capsule) {
    const auto* table = static_cast<const rtgraph_node*>(PyCapsule_GetPointer(capsule.ptr(), RTGRAPH_CAPSULE_NAME));
    if (table == nullptr) throw py::error_already_set();
    if (table->abi_version != RTGRAPH_ABI_VERSION)
      throw py::value_error("the native node was built for version " + std::to_string(table->abi_version) +
                            " of rtgraph/node.h, this runtime has version " + std::to_string(RTGRAPH_ABI_VERSION) + "; build it again");
    return table;
  }

 private:
  static EdgeKind edge_kind(const std::string& kind) {
    return parse<EdgeKind>(kind, {{"queue", EdgeKind::queue}, {"latest", EdgeKind::latest}, {"match", EdgeKind::match}});
  }
  static py::object failure_of(const NodeState& n) {
    return py::make_tuple(n.name, n.failure.port, n.failure.seq, n.failure.message, n.failure.traceback);
  }

  PythonHost host_;
  Scheduler scheduler_;
  std::vector<py::object> kept_;
  std::vector<PythonContext*> contexts_;
  std::vector<std::vector<PortType>> out_types_;
};

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The runtime's core: segments, lock-free edges, clocks and their profile. Driven by rtgraph.scheduler.";

  py::class_<Waiting>(m, "Waiting").def("__enter__", &Waiting::enter).def("__exit__", &Waiting::exit);

  py::class_<PythonContext>(m, "Context")
      .def(py::init<>())
      .def_property_readonly("timestamp_ns", &PythonContext::timestamp_ns)
      .def_property_readonly("seq", &PythonContext::seq)
      .def_property_readonly("stopping", &PythonContext::stopping)
      .def_property_readonly("start_ns", &PythonContext::start_ns)
      .def("now_ns", &PythonContext::now_ns)
      .def("observe_clock", &PythonContext::observe_clock, "device_ns"_a, "monotonic_ns"_a)
      .def("elapse", &PythonContext::elapse, "duration_ns"_a)
      .def("waiting", [](PythonContext& context) { return Waiting{context}; }, py::keep_alive<0, 1>())
      .def("count", &PythonContext::count, "what"_a, "n"_a = 1);

  py::class_<Run>(m, "Run")
      .def(py::init<const std::string&, std::size_t>(), "clock"_a, "sources"_a)
      .def("add_segment", &Run::add_segment, "name"_a, "cpus"_a, "priority"_a)
      .def("add_node", &Run::add_node, "segment"_a, "name"_a, "work"_a, "context"_a, "order"_a, "inputs"_a, "outputs"_a,
           "fires_any"_a, "skip_errors"_a, "driver"_a, "rate_hz"_a, "first_tick_ns"_a, "endless"_a, "source"_a)
      .def("connect", &Run::connect, "name"_a, "from_node"_a, "output"_a, "to_node"_a, "port"_a, "kind"_a, "overflow"_a,
           "capacity"_a, "tolerance_ns"_a, "feedback"_a)
      .def("set_frame", [](Run& r, std::size_t node, std::size_t output, int64_t budget_ns) {
             r.scheduler().set_frame(*r.scheduler().nodes.at(node), output, budget_ns);
           }, "node"_a, "output"_a, "budget_ns"_a)
      .def("measure_paths", [](Run& r, std::size_t node) { r.scheduler().measure_paths(*r.scheduler().nodes.at(node)); }, "node"_a)
      .def("enable_trace", [](Run& r, std::size_t events) { r.scheduler().enable_trace(events); }, "events"_a)
      .def("prime", &Run::prime, "node"_a, "output"_a, "value"_a, "timestamp_ns"_a)
      .def("start", &Run::start, "duration_ns"_a)
      .def("wait", &Run::wait, "timeout_s"_a)
      .def("request_stop", [](Run& r) { r.scheduler().request_stop(); })
      .def("abort", [](Run& r) { r.scheduler().abort(); })
      .def("join", &Run::join)
      .def("failure", &Run::failure)
      .def("errors", &Run::errors)
      .def("warnings", [](Run& r) { return r.scheduler().warnings; })
      .def("profile", &Run::profile)
      .def("trace", &Run::trace);

  m.def("monotonic_ns", &monotonic_ns);
  m.def("native_open", [](const py::object& capsule) {
    const rtgraph_node* table = Run::table_of(capsule);
    const char* error = table->open(table->self);
    return error ? py::object(py::str(error)) : py::none();
  }, "capsule"_a);
  m.def("native_reset", [](const py::object& capsule) {
    const rtgraph_node* table = Run::table_of(capsule);
    table->reset(table->self);
  }, "capsule"_a);
  m.def("native_close", [](const py::object& capsule) {
    const rtgraph_node* table = Run::table_of(capsule);
    table->close(table->self);
  }, "capsule"_a);
}

}  // namespace rtgraph
