#include "plan/builder_script.hpp"

#include <fmt/format.h>

#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "ov/error.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

constexpr std::string_view pixi_script = R"sh(set -e
cd "$HOME"
if [ -f /layer/pixi.toml ]; then manifest=pixi.toml
elif [ -f /layer/pyproject.toml ]; then manifest=pyproject.toml
elif [ -f /layer/environment.yml ]; then manifest=environment.yml
else echo 'no pixi manifest found in /layer' >&2; exit 1; fi
cp /layer/$manifest $manifest
if [ -f /layer/pixi.lock ]; then cp /layer/pixi.lock pixi.lock; fi
grep -q 'system-requirements' $manifest || printf '\n[system-requirements]\nlibc = { family = "glibc", version = "2.39" }\n' >> $manifest
case "$manifest" in
  pixi.toml)
    if [ -f pixi.lock ]; then pixi install --frozen
    else pixi install; fi ;;
  pyproject.toml) pixi install --manifest-path pyproject.toml ;;
  environment.yml) pixi project import environment.yml && pixi install ;;
esac
if [ -f /layer/build.sh ]; then bash /layer/build.sh; fi
rm -f $manifest pixi.lock
)sh";

constexpr std::string_view npm_script = R"sh(set -e -o pipefail
[ -f /layer/package.json ] || { echo 'no package.json in /layer' >&2; exit 1; }
ov_work=$(mktemp -d)
cp /layer/package.json "$ov_work"
cd "$ov_work"
node -e 'var d=require("./package.json").dependencies||{};for(var[n,v]of Object.entries(d))console.log(v==="*"?n:n+"@"+v)' | xargs -r npm install -g
cd /
rm -rf "$ov_work"
)sh";

constexpr std::string_view cargo_script = R"sh(set -e
[ -f /layer/Cargo.toml ] || { echo 'no Cargo.toml in /layer' >&2; exit 1; }
export CARGO_TARGET_DIR=$(mktemp -d)
cargo install --path /layer --root "$CARGO_HOME"
rm -rf "$CARGO_TARGET_DIR"
)sh";

constexpr std::string_view aur_before = R"sh(set -e
echo '%wheel ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/20-nopasswd-wheel
chmod 0440 /etc/sudoers.d/20-nopasswd-wheel
getent group wheel >/dev/null || groupadd wheel
usermod -aG wheel user
id -nG user | tr ' ' '\n' | grep -qx wheel || { echo 'user is not in group wheel' >&2; exit 1; }
install -d -o user -g user /tmp/aur-build
sed '/^OPTIONS=/s/ debug/ !debug/' /etc/makepkg.conf > /tmp/makepkg.conf
chown user /tmp/makepkg.conf
pacman -Syu --noconfirm
)sh";

constexpr std::string_view aur_after = R"sh(for ov_dir in /tmp/aur-build ~user/.cache/yay ~root/.cache/yay; do
  [ ! -d "$ov_dir" ] || find "$ov_dir" -name '*.pkg.tar.zst' -exec cp {} /tmp/aur-pkgs/ \;
done
chown -R 0:0 /tmp/aur-pkgs/
)sh";

}  // namespace

std::string builder_container_script(const BuilderStep& step) {
    // Commands in it must not eat the rest of the script, which comes over standard input.
    const auto wrapped = [](std::string_view text) { return fmt::format("{{\n{}}} </dev/null\n", text); };
    if (step.builder == "pixi") return wrapped(pixi_script);
    if (step.builder == "npm") return wrapped(npm_script);
    if (step.builder == "cargo") return wrapped(cargo_script);
    if (step.builder != "aur")
        throw Error(Errc::unsupported,
                    fmt::format("layer {}: unknown builder {}; there are aur, npm, pixi, cargo", step.layer, step.builder));
    std::string install = "sudo -u user -- yay -S --noconfirm --needed --builddir /tmp/aur-build --makepkgconf /tmp/makepkg.conf";
    for (const std::string& option : step.options) install += " " + shell_quote_lazy(option);
    for (const std::string& package : step.packages) install += " " + shell_quote_lazy(package);
    return wrapped(std::string(aur_before) + install + "\n" + std::string(aur_after));
}

std::vector<std::string> builder_environment(std::string_view home) {
    return {fmt::format("HOME={}", home), fmt::format("CARGO_HOME={}/.cargo", home),
            fmt::format("NPM_CONFIG_PREFIX={}/.npm-global", home), fmt::format("PIXI_CACHE_DIR={}/.cache/ov/pixi", home),
            fmt::format("RATTLER_CACHE_DIR={}/.cache/ov/rattler", home)};
}

bool is_builder_cache(std::string_view relative) {
    for (const std::string_view cache : {".cache", ".npm", ".cargo/registry", ".cargo/git", ".pixi/cache"})
        if (relative == cache || (relative.starts_with(cache) && relative[cache.size()] == '/')) return true;
    return false;
}

std::string builder_archive(const BuilderStep& step, std::string_view home, std::string_view run_dir) {
    // A home has room for what goes into it; a temporary directory may lie in memory. The directory is the deploy's own.
    const std::string name = sha256_hex(step.builder + "\n" + step.layer).substr(0, 16);
    return step.builder == "aur" ? fmt::format("{}/build-{}.tar", run_dir, name) : fmt::format("{}/.ov-build-{}/tar", home, name);
}

std::string builder_guest_text(const BuilderStep& step, const StepContext& context) {
    if (step.builder == "aur") {
        std::string text = "ov_pacman_files " + script_word(builder_archive(step, {}, context.run_dir));
        for (const std::string& name : step.replaces) text += " " + script_word(name);
        return text + "\n";
    }
    std::string text = "ov_unpack " + std::string("\"$HOME\"") + script_word(builder_archive(step, {}, {}));
    if (step.builder == "npm") text += " '.npm-global/lib/node_modules/*'";
    if (step.builder == "pixi") text += " '.pixi/envs/*'";
    return text + "\n";
}

}  // namespace ov
