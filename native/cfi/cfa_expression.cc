#include "cfa_expression.h"

namespace emberscope {

namespace {

constexpr size_t kMaxStack = 4;

enum Operation : uint8_t {
    kDeref = 0x06,
    kConst1u = 0x08,
    kConst1s = 0x09,
    kConst2u = 0x0a,
    kConst2s = 0x0b,
    kConst4u = 0x0c,
    kConst4s = 0x0d,
    kConst8u = 0x0e,
    kConst8s = 0x0f,
    kConstu = 0x10,
    kConsts = 0x11,
    kMinus = 0x1c,
    kPlus = 0x22,
    kPlusUconst = 0x23,
    kLit0 = 0x30,
    kLit31 = 0x4f,
    kBreg0 = 0x70,
    kBreg31 = 0x8f,
    kBregx = 0x92,
    kNop = 0x96,
};

AddressShape Number(int64_t value) {
    return {kNoRegister, value, false, 0};
}

int64_t Sum(int64_t one, int64_t other) {
    return static_cast<int64_t>(static_cast<uint64_t>(one) + static_cast<uint64_t>(other));
}

AddressShape Shifted(AddressShape shape, int64_t by) {
    int64_t &term = shape.is_loaded ? shape.addend : shape.offset;
    term = Sum(term, by);
    return shape;
}

class Evaluator {
  public:
    explicit Evaluator(Bytes expression) : cursor_(expression) {}
    bool Push(AddressShape shape) {
        if (depth_ == kMaxStack) return false;
        stack_[depth_++] = shape;
        return true;
    }
    bool Run(AddressShape *result) {
        while (!cursor_.AtEnd()) {
            if (!Step()) return false;
        }
        if (depth_ == 0 || !cursor_.ok()) return false;
        *result = stack_[depth_ - 1];
        return true;
    }

  private:
    bool Step();
    bool PushConstant(uint8_t operation);
    bool Load();
    bool AddUconst();
    bool AddTwo(bool negate);

    Cursor cursor_;
    AddressShape stack_[kMaxStack];
    size_t depth_ = 0;
};

bool Evaluator::PushConstant(uint8_t operation) {
    switch (operation) {
    case kConst1u:
        return Push(Number(cursor_.Take<uint8_t>()));
    case kConst1s:
        return Push(Number(cursor_.Take<int8_t>()));
    case kConst2u:
        return Push(Number(cursor_.Take<uint16_t>()));
    case kConst2s:
        return Push(Number(cursor_.Take<int16_t>()));
    case kConst4u:
        return Push(Number(cursor_.Take<uint32_t>()));
    case kConst4s:
        return Push(Number(cursor_.Take<int32_t>()));
    case kConst8u:
    case kConst8s:
        return Push(Number(cursor_.Take<int64_t>()));
    case kConstu:
        return Push(Number(static_cast<int64_t>(cursor_.Uleb())));
    case kConsts:
        return Push(Number(cursor_.Sleb()));
    default:
        return false;
    }
}

// One level: what a second one would need, no rule has.
bool Evaluator::Load() {
    if (depth_ == 0) return false;
    AddressShape &top = stack_[depth_ - 1];
    if (top.is_loaded || top.base == kNoRegister) return false;
    top.is_loaded = true;
    return true;
}

bool Evaluator::AddUconst() {
    const uint64_t value = cursor_.Uleb();
    if (depth_ == 0) return false;
    stack_[depth_ - 1] = Shifted(stack_[depth_ - 1], static_cast<int64_t>(value));
    return true;
}

bool Evaluator::AddTwo(bool negate) {
    if (depth_ < 2) return false;
    const AddressShape second = stack_[--depth_];
    const AddressShape first = stack_[depth_ - 1];
    if (second.base == kNoRegister) {
        const auto by = static_cast<uint64_t>(second.offset);
        stack_[depth_ - 1] = Shifted(first, static_cast<int64_t>(negate ? 0 - by : by));
        return true;
    }
    if (negate || first.base != kNoRegister) return false;
    stack_[depth_ - 1] = Shifted(second, first.offset);
    return true;
}

bool Evaluator::Step() {
    const auto operation = cursor_.Take<uint8_t>();
    if (operation >= kLit0 && operation <= kLit31) return Push(Number(operation - kLit0));
    if (operation >= kBreg0 && operation <= kBreg31) {
        return Push({static_cast<uint64_t>(operation - kBreg0), cursor_.Sleb(), false, 0});
    }
    switch (operation) {
    case kBregx: {
        const uint64_t number = cursor_.Uleb();
        return Push({number, cursor_.Sleb(), false, 0});
    }
    case kDeref:
        return Load();
    case kPlusUconst:
        return AddUconst();
    case kPlus:
        return AddTwo(false);
    case kMinus:
        return AddTwo(true);
    case kNop:
        return true;
    default:
        return PushConstant(operation);
    }
}

} // namespace

bool ReadAddressShape(Bytes expression, bool with_cfa, AddressShape *shape) {
    Evaluator evaluator(expression);
    if (with_cfa) evaluator.Push({kCfaBase, 0, false, 0});
    if (!evaluator.Run(shape) || shape->base == kNoRegister) return false;
    return shape->base != kCfaBase || with_cfa; // a hostile bregx
}

bool ReadPltShape(Bytes expression, uint8_t *threshold) {
    // breg7 8, breg16 0, lit15, and, lit<threshold>, ge, lit3, shl, plus
    static constexpr uint8_t kShape[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, kLit0, 0x2a, 0x33, 0x24, kPlus};
    static constexpr size_t kThresholdAt = 6;
    if (expression.size() != sizeof kShape) return false;
    for (size_t at = 0; at < sizeof kShape; ++at) {
        if (at != kThresholdAt && expression[at] != kShape[at]) return false;
    }
    const int value = expression[kThresholdAt] - kLit0;
    if (value < 0 || value > 15) return false;
    *threshold = static_cast<uint8_t>(value);
    return true;
}

} // namespace emberscope
