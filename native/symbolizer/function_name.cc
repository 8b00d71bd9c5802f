#include "function_name.h"

#include <vector>

namespace emberscope {
namespace {

using llvm::DWARFContext;
using llvm::DWARFDie;
using llvm::DWARFFormValue;
namespace dwarf = llvm::dwarf;

// Origin -> declaration -> ... is two or three steps in real files; more is a loop.
constexpr int kMaxSteps = 16;
// Namespaces and classes around a function; deeper nesting is cut at the outside.
constexpr int kMaxScopes = 32;

bool PointsIntoAlternate(dwarf::Form form) {
    return form == dwarf::DW_FORM_GNU_ref_alt || form == dwarf::DW_FORM_ref_sup4 ||
           form == dwarf::DW_FORM_ref_sup8;
}

bool IsAlternateString(dwarf::Form form) {
    return form == dwarf::DW_FORM_GNU_strp_alt || form == dwarf::DW_FORM_strp_sup;
}

class NameWalk {
  public:
    explicit NameWalk(DWARFContext *alternate) : alternate_(alternate) {}

    FunctionName Walk(DWARFDie die) {
        for (int step = 0; die && step < kMaxSteps; ++step) {
            if (result_.start_line == 0) result_.start_line = DeclarationLine(die);
            std::string linkage = String(die, dwarf::DW_AT_linkage_name);
            if (linkage.empty()) linkage = String(die, dwarf::DW_AT_MIPS_linkage_name);
            if (!linkage.empty()) return Finish(std::move(linkage));
            if (short_name_.empty()) short_name_ = String(die, dwarf::DW_AT_name);
            // The last entry of the walk is the declaration, which sits inside its class and namespace.
            scope_ = die;
            die = Origin(die);
        }
        return Finish(short_name_.empty() ? "" : Qualified());
    }

  private:
    FunctionName Finish(std::string text) {
        result_.text = std::move(text);
        result_.in_missing_alternate = result_.text.empty() && missing_;
        return std::move(result_);
    }

    static uint64_t DeclarationLine(DWARFDie die) {
        const std::optional<DWARFFormValue> line = die.find(dwarf::DW_AT_decl_line);
        return line ? line->getAsUnsignedConstant().value_or(0) : 0;
    }

    std::string String(DWARFDie die, dwarf::Attribute attribute) {
        const std::optional<DWARFFormValue> value = die.find(attribute);
        if (!value) return "";
        if (IsAlternateString(value->getForm())) return AlternateString(value->getRawUValue());
        llvm::Expected<const char *> text = value->getAsCString();
        if (text) return *text ? *text : "";
        llvm::consumeError(text.takeError());
        return "";
    }

    std::string AlternateString(uint64_t offset) {
        if (!alternate_) {
            missing_ = true;
            return "";
        }
        return alternate_->getStringExtractor().getCStrRef(&offset).str();
    }

    DWARFDie Origin(DWARFDie die) {
        std::optional<DWARFFormValue> value = die.find(dwarf::DW_AT_abstract_origin);
        if (!value) value = die.find(dwarf::DW_AT_specification);
        if (!value) return DWARFDie();
        if (!PointsIntoAlternate(value->getForm())) return die.getAttributeValueAsReferencedDie(*value);
        if (alternate_) return alternate_->getDIEForOffset(value->getRawUValue());
        missing_ = true;
        return DWARFDie();
    }

    std::string Qualified() {
        std::vector<std::string> scopes;
        DWARFDie parent = scope_.getParent();
        for (int depth = 0; parent && depth < kMaxScopes; ++depth, parent = parent.getParent()) {
            const dwarf::Tag tag = parent.getTag();
            const bool is_namespace = tag == dwarf::DW_TAG_namespace;
            if (!is_namespace && tag != dwarf::DW_TAG_class_type && tag != dwarf::DW_TAG_structure_type &&
                tag != dwarf::DW_TAG_union_type && tag != dwarf::DW_TAG_interface_type &&
                tag != dwarf::DW_TAG_enumeration_type) {
                break;
            }
            std::string name = String(parent, dwarf::DW_AT_name);
            if (name.empty() && is_namespace) name = "(anonymous namespace)";
            if (!name.empty()) scopes.push_back(std::move(name));
        }
        std::string text;
        for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
            text += *scope + "::";
        return text + short_name_;
    }

    DWARFContext *alternate_;
    FunctionName result_;
    std::string short_name_;
    DWARFDie scope_;
    bool missing_ = false;
};

} // namespace

FunctionName NameFunction(DWARFDie die, DWARFContext *alternate) {
    return NameWalk(alternate).Walk(die);
}

} // namespace emberscope
