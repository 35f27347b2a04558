// Tags that an object puts on its programs (BTF_KIND_DECL_TAG): "exception_callback:NAME" names the function that runs
// when the program throws (bpf_throw, 6.7). Nobody calls it, so it is linked because of the tag.
#include "loader/program_image.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::string_view kCallback = "exception_callback:";

ImageFunction* entry_named(ObjectImage& image, std::string_view name) {
  for (ImageFunction& function : image.functions)
    if (function.entry && function.name == name) return &function;
  return nullptr;
}

}  // namespace

Result<void> read_image_tags(ObjectImage& image) {
  for (uint32_t id = 1; image.has_btf && id < image.btf.count(); ++id) {
    const auto tag = image.btf.type(id);
    if (!tag || tag->kind != BTF_KIND_DECL_TAG) continue;
    const BtfName text = image.btf.name(tag->name);
    const auto tagged = image.btf.type(tag->size_or_type);
    if (slice(text.view(), 0, kCallback.size()) != kCallback || !tagged || tagged->kind != BTF_KIND_FUNC) continue;
    const std::string_view name = slice(text.view(), kCallback.size());
    ImageFunction* const program = entry_named(image, image.btf.name(tagged->name).view());
    if (program == nullptr) continue;
    for (uint32_t i = 0; i < image.functions.size(); ++i)
      if (image.functions[i].name == name && !image.functions[i].entry) program->when_thrown = i + 1;
    if (program->when_thrown == 0) return make_error(0, "no such function, although tagged as callback:", name);
  }
  return {};
}

}  // namespace hosa
