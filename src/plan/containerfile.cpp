#include "plan/containerfile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/sha256.hpp"
#include "ov/plan_output.hpp"
#include "plan/builder_script.hpp"
#include "plan/home_token.hpp"
#include "plan/script_text.hpp"

namespace ov {

namespace {

/// Where the scripts see the context, and where they put what must be writable.
constexpr const char* mount_point = "/run/ov-build";
constexpr const char* run_dir = "/tmp/ov-build";

/// A double-quoted word of a Containerfile; `$` stays active where the author's variables are meant.
std::string quoted(std::string_view text, bool variables) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\' || (c == '$' && !variables)) out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out + '"';
}

std::string at_home(std::string_view text, const std::string& home) {
    std::string out = plan::tokenise_home(text);
    for (std::size_t at = out.find(home_token); at != std::string::npos; at = out.find(home_token, at))
        out.replace(at, std::string_view(home_token).size(), home);
    return out;
}

/// The account and its home, with nothing but bash and the files: small images have no useradd.
std::string account_script(const ImageRecipe& recipe) {
    const std::string user = script_word(recipe.user), home = script_word(recipe.home);
    return fmt::format(R"sh(set -e
[[ -d /tmp ]] || mkdir -m 1777 /tmp
has() {{ [[ -e $1 ]] && while IFS=: read -r name _ id _; do [[ $name != "$2" && $id != "$3" ]] || return 0; done <"$1"; return 1; }}
has /etc/group {0} {2} || echo {0}:x:{2}: >>/etc/group
has /etc/passwd {0} {1} || {{
    echo {0}:x:{1}:{2}::{3}:/bin/bash >>/etc/passwd
    [[ ! -e /etc/shadow ]] || echo {0}:!:19000:0:99999:7::: >>/etc/shadow
}}
[[ -d {3} ]] || {{ mkdir -p -- {3} && chown {1}:{2} -- {3}; }}
)sh",
                       user, recipe.uid, recipe.gid, home);
}

struct Account {
    std::string name, home;
};

/// One RUN: steps of a layer that run in a row as the same account.
class RunScript {
public:
    RunScript(const Account& account, const StepContext& context) : account_(account), context_(context) {}

    void add(const InstallPlan& plan, std::size_t index, const Step& step, GuestStep script,
             std::vector<BuildContext::Build>& builds) {
        parts_ |= script.library;
        parts_ |= GuestParts{GuestPart::journal};
        for (const Upload& upload : script.uploads) {
            copies_.push_back(upload.staged);
            const auto digest = context_.digests.find(upload.source);
            if (digest != context_.digests.end()) keys_ += digest->second + "\n";
        }
        if (const auto* build = std::get_if<BuilderStep>(&step.body)) {
            const std::string archive = builder_archive(*build, account_.home, run_dir);
            const std::string name = fmt::format("build-{}.tar", sha256_hex(build->builder + "\n" + build->layer).substr(0, 16));
            body_ += fmt::format("mkdir -p {} && cp {}/{} {} || exit\n", script_word(archive.substr(0, archive.rfind('/'))),
                                 mount_point, name, script_word(archive));
            builds.push_back({*build, name});
            if (const auto digest = context_.digests.find(build->layer_dir); digest != context_.digests.end())
                keys_ += digest->second + "\n";
        }
        const std::string what = fmt::format("layer {}: step {} ({})", plan.layer, index + 1, step.kind());
        body_ += fmt::format("ov_label={}\n(\n{}) </dev/null\nov_end $?\n", script_word(what),
                             script.text.ends_with('\n') ? script.text : script.text + "\n");
    }

    bool empty() const { return body_.empty(); }

    std::string text() const {
        std::string out = fmt::format(
            "export HOME={} USER={} LOGNAME={} LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive\n"
            "ov_run={} ov_journal=/dev/null ov_record=\n"
            "ov_end() {{ (($1 == 0)) || {{ printf 'ov: %s: exit status %d\\n' \"$ov_label\" \"$1\" >&2; exit \"$1\"; }}; }}\n"
            "rm -rf $ov_run && mkdir -p $ov_run || exit\n",
            script_word(account_.home), script_word(account_.name), script_word(account_.name), run_dir);
        for (const std::string& staged : copies_) out += fmt::format("cp -R {0}/{1} $ov_run/{1} || exit\n", mount_point, staged);
        out += guest_library(parts_);
        return out + "cd\n" + body_ + "rm -rf $ov_run\n";
    }

    /// Changes with everything that the script depends on: podman's cache knows the instruction's text only.
    std::string key() const { return sha256_hex(text() + keys_).substr(0, 32); }

private:
    Account account_;
    const StepContext& context_;
    GuestParts parts_;
    std::vector<std::string> copies_;
    std::string body_, keys_;
};

class Writer {
public:
    Writer(const ImageRecipe& recipe, const std::map<std::string, std::string>& digests) : recipe_(recipe) {
        context_.run_dir = run_dir;
        context_.digests = digests;
    }

    BuildContext write(const std::vector<InstallPlan>& plans, const std::map<std::string, std::string>& labels) {
        line("# image {} {}: made by `ov image build`", recipe_.name, recipe_.version);
        line("FROM {}", recipe_.from);
        if (recipe_.uid != 0) {
            run("0", "account.sh", account_script(recipe_), sha256_hex(account_script(recipe_)).substr(0, 32));
        }
        for (const InstallPlan& plan : plans) layer(plan);
        if (recipe_.init == "supervisord") {
            out_.scripts.push_back({"supervisord.conf", supervisord_text(recipe_.layers, recipe_.home, out_.notes)});
            user("0");
            line("COPY ov/supervisord.conf /etc/supervisord.conf");
        }
        volume_data();
        environment();
        out_.containerfile += label_lines(labels);
        line("WORKDIR {}", recipe_.home);
        user(recipe_.uid == 0 ? "0" : recipe_.user);
        line("ENTRYPOINT []");
        if (recipe_.init == "supervisord")
            line(R"(CMD ["supervisord", "-n", "-c", "/etc/supervisord.conf"])");
        else
            line(R"(CMD ["sleep", "infinity"])");
        return std::move(out_);
    }

private:
    template <class... Values>
    void line(fmt::format_string<Values...> format, Values&&... values) {
        out_.containerfile += fmt::format(format, std::forward<Values>(values)...) + "\n";
    }
    void user(const std::string& name) {
        if (user_ == name) return;
        user_ = name;
        line("USER {}", name);
    }

    void run(const std::string& as, const std::string& name, std::string text, const std::string& key) {
        user(as);
        out_.scripts.push_back({name, std::move(text)});
        const nlohmann::json words{"bash", fmt::format("{}/{}", mount_point, name), key};
        line("RUN --mount=type=bind,source=ov,target={} {}", mount_point, words.dump());
    }

    /// Why a step has no place in an image; empty: it has.
    std::string left_out(const Step& step) const {
        if (std::holds_alternative<RebootStep>(step.body)) return "a reboot is for machines";
        const bool service =
            std::holds_alternative<ServicePackagedStep>(step.body) || std::holds_alternative<ServiceCustomStep>(step.body);
        if (service && recipe_.init.empty()) return "nothing starts services in it: it has no layer supervisord";
        return {};
    }

    void layer(const InstallPlan& plan) {
        if (plan.steps.empty()) return;
        line("");
        line("# layer {}", plan.layer);
        int number = 0;
        std::optional<RunScript> script;
        RunAs as = RunAs::root;
        const auto end = [&] {
            if (!script || script->empty()) return;
            const std::string name =
                fmt::format("{:02}-{}{}.sh", ++layers_, plan.layer, number++ == 0 ? "" : fmt::format("-{}", number));
            run(as == RunAs::root ? "0" : recipe_.user, name, script->text(), script->key());
            script.reset();
        };
        for (std::size_t i = 0; i < plan.steps.size(); ++i) {
            const Step& step = plan.steps[i];
            if (const std::string why = left_out(step); !why.empty()) {
                out_.notes.push_back(fmt::format("layer {}: step {} ({}) is left out: {}", plan.layer, i + 1, step.kind(), why));
                continue;
            }
            // supervisord has a file of its own for them.
            if (std::holds_alternative<ServicePackagedStep>(step.body) || std::holds_alternative<ServiceCustomStep>(step.body))
                continue;
            GuestStep guest = render_step(step, context_);
            if (guest.action == GuestAction::skip || guest.action == GuestAction::reboot) {
                out_.notes.push_back(
                    fmt::format("layer {}: step {} ({}) is left out: {}", plan.layer, i + 1, step.kind(), guest.note));
                continue;
            }
            const RunAs wanted = recipe_.uid == 0 ? RunAs::root : guest.as;
            if (!script || wanted != as) {
                end();
                as = wanted;
                script.emplace(wanted == RunAs::root ? Account{"root", recipe_.uid == 0 ? recipe_.home : "/root"}
                                                     : Account{recipe_.user, recipe_.home},
                               context_);
            }
            for (const Upload& upload : guest.uploads) out_.uploads.push_back(upload);
            line("#   {}", summary(step, i));
            script->add(plan, i, step, std::move(guest), out_.builds);
        }
        end();
    }

    /// After the layers, so that a changed notebook installs nothing anew. podman compares what COPY brings by itself.
    void volume_data() {
        for (const ImageData& data : image_data(recipe_)) {
            if (!data.has_volume) {
                out_.notes.push_back(fmt::format(
                    "layer {}: data for volume {} is left out: no layer of the image has that volume", data.layer, data.volume));
                continue;
            }
            const std::string path = fmt::format("data-{}", out_.data.size() + 1);
            out_.data.push_back({data.source, path});
            user("0");
            const nlohmann::json words{"ov/" + path + "/", data.staging + "/"};
            line("# layer {}: data for volume {}", data.layer, data.volume);
            line("COPY --chown={}:{} {}", recipe_.uid, recipe_.gid, words.dump());
        }
    }

    static std::string summary(const Step& step, std::size_t index) {
        std::string text = fmt::format("{}. {}", index + 1, step.summary());
        std::replace(text.begin(), text.end(), '\n', ' ');
        return text;
    }

    void environment() {
        line("");
        std::string path;
        for (const Layer* layer : recipe_.layers) {
            for (const auto& [key, value] : layer->env) line("ENV {}={}", key, quoted(at_home(value, recipe_.home), true));
            for (const std::string& entry : layer->path_append) path += at_home(entry, recipe_.home) + ":";
        }
        if (!path.empty()) line("ENV PATH={}", quoted(path + "$PATH", true));
    }

    const ImageRecipe& recipe_;
    StepContext context_;
    BuildContext out_;
    std::string user_;
    int layers_ = 0;
};

}  // namespace

std::string label_lines(const std::map<std::string, std::string>& labels) {
    std::string text;
    for (const auto& [key, value] : labels)
        text += fmt::format("{}{}={}", text.empty() ? "LABEL " : " \\\n      ", key, quoted(value, false));
    return text.empty() ? text : text + "\n";
}

std::vector<Upload> build_uploads(const std::vector<InstallPlan>& plans) {
    std::vector<Upload> all;
    for (const InstallPlan& plan : plans)
        for (const Step& step : plan.steps)
            for (Upload& upload : uploads_of(step)) all.push_back(std::move(upload));
    return all;
}

BuildContext build_context(const ImageRecipe& recipe, const std::vector<InstallPlan>& plans,
                           const std::map<std::string, std::string>& labels, const std::map<std::string, std::string>& digests) {
    return Writer(recipe, digests).write(plans, labels);
}

}  // namespace ov
