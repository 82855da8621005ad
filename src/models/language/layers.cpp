#include "models/language/layers.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include "models/language/elementwise.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::models {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using weights::with_element_type;

namespace {

struct RmsNorm : Function<RmsNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& w,
                        double epsilon) {
    Tensor y = torch::empty_like(x), inverse_root = torch::empty({x.size(0)}, x.options());
    with_element_type(x, [&]<class T>(T) {
      rms_norm<T>(x.data_ptr<T>(), w.data_ptr<T>(), epsilon, x.size(0), x.size(1), y.data_ptr<T>(),
                  inverse_root.data_ptr<T>());
    });
    context->save_for_backward({x, w, inverse_root});
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &w = saved[1], dy = gradients[0].contiguous();
    Tensor dx = torch::empty_like(x), dw = torch::empty_like(w);
    with_element_type(x, [&]<class T>(T) {
      rms_norm_backward<T>(x.data_ptr<T>(), w.data_ptr<T>(), saved[2].data_ptr<T>(),
                           dy.data_ptr<T>(), x.size(0), x.size(1), dx.data_ptr<T>(),
                           dw.data_ptr<T>());
    });
    return {dx, dw, Tensor()};
  }
};

struct Swiglu : Function<Swiglu> {
  static Tensor forward(AutogradContext* context, const Tensor& gate, const Tensor& up) {
    Tensor y = torch::empty_like(gate);
    with_element_type(gate, [&]<class T>(T) {
      swiglu<T>(gate.data_ptr<T>(), up.data_ptr<T>(), gate.numel(), y.data_ptr<T>());
    });
    context->save_for_backward({gate, up});
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &gate = saved[0], &up = saved[1], dy = gradients[0].contiguous();
    Tensor dgate = torch::empty_like(gate), dup = torch::empty_like(up);
    with_element_type(gate, [&]<class T>(T) {
      swiglu_backward<T>(gate.data_ptr<T>(), up.data_ptr<T>(), dy.data_ptr<T>(), gate.numel(),
                         dgate.data_ptr<T>(), dup.data_ptr<T>());
    });
    return {dgate, dup};
  }
};

Tensor rotated(const Tensor& x, const Rotary& rotary, std::int64_t head_size,
               std::int64_t first_position, Turn turn) {
  Tensor y = torch::empty_like(x);
  with_element_type(x, [&]<class T>(T) {
    const auto table = rotary_table<T>(rotary, first_position, x.size(0));
    rotate<T>(x.data_ptr<T>(), table, rotary.pairs, turn, x.size(0), x.size(1) / head_size,
              head_size, y.data_ptr<T>());
  });
  return y;
}

struct Rotate : Function<Rotate> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Rotary* rotary,
                        std::int64_t head_size, std::int64_t first_position) {
    context->saved_data["rotary"] = reinterpret_cast<std::int64_t>(rotary);
    context->saved_data["head_size"] = head_size;
    context->saved_data["first_position"] = first_position;
    return rotated(x, *rotary, head_size, first_position, Turn::forward);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto* rotary = reinterpret_cast<const Rotary*>(context->saved_data["rotary"].toInt());
    return {rotated(gradients[0].contiguous(), *rotary, context->saved_data["head_size"].toInt(),
                    context->saved_data["first_position"].toInt(), Turn::back),
            Tensor(), Tensor(), Tensor()};
  }
};

template <class T>
AttentionInput<T> attention_input(const Tensor& q, const Tensor& k, const Tensor& v,
                                  const AttentionHeads& heads) {
  return {heads, q.size(0), k.size(0), q.data_ptr<T>(), k.data_ptr<T>(), v.data_ptr<T>()};
}

struct CausalAttention : Function<CausalAttention> {
  static Tensor forward(AutogradContext* context, const Tensor& q, const Tensor& k, const Tensor& v,
                        const AttentionHeads* heads) {
    Tensor out = torch::empty_like(q);
    Tensor log_sums = torch::empty({q.size(0), heads->query_heads}, q.options());
    with_element_type(q, [&]<class T>(T) {
      attend<T>(attention_input<T>(q, k, v, *heads), out.data_ptr<T>(), log_sums.data_ptr<T>());
    });
    context->save_for_backward({q, k, v, out, log_sums});
    context->saved_data["heads"] =
        std::vector<std::int64_t>{heads->head_size,       heads->query_heads,      heads->key_heads,
                                  heads->queries_per_key, heads->first_query_head, heads->window};
    context->saved_data["scale"] = heads->scale;
    return out;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const std::vector<std::int64_t> numbers = context->saved_data["heads"].toIntVector();
    const AttentionHeads heads{.head_size = numbers[0],
                               .query_heads = numbers[1],
                               .key_heads = numbers[2],
                               .queries_per_key = numbers[3],
                               .first_query_head = numbers[4],
                               .window = numbers[5],
                               .scale = context->saved_data["scale"].toDouble()};
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], dout = gradients[0].contiguous();
    Tensor dq = torch::empty_like(q), dk = torch::empty_like(k), dv = torch::empty_like(v);
    with_element_type(q, [&]<class T>(T) {
      attend_backward<T>(attention_input<T>(q, k, v, heads), saved[3].data_ptr<T>(),
                         saved[4].data_ptr<T>(), dout.data_ptr<T>(), dq.data_ptr<T>(),
                         dk.data_ptr<T>(), dv.data_ptr<T>());
    });
    return {dq, dk, dv, Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& w, double epsilon) {
  return RmsNorm::apply(x.contiguous(), w, epsilon);
}

Tensor activated(Activation f, const Tensor& x) {
  switch (f) {
    case Activation::silu:
      return torch::silu(x);
    case Activation::relu:
      return torch::relu(x);
    case Activation::gelu:
      return torch::gelu(x, "none");
    default:
      return torch::gelu(x, "tanh");
  }
}

Tensor gated(Activation f, const Tensor& gate, const Tensor& up) {
  if (f == Activation::silu) return Swiglu::apply(gate.contiguous(), up.contiguous());
  return activated(f, gate) * up;
}

Tensor rotate(const Tensor& x, const Rotary& rotary, std::int64_t head_size,
              std::int64_t first_position) {
  return Rotate::apply(x.contiguous(), &rotary, head_size, first_position);
}

Tensor causal_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                        const AttentionHeads& heads) {
  return CausalAttention::apply(q.contiguous(), k.contiguous(), v.contiguous(), &heads);
}

}  // namespace rankine::models
