// Decoding, validating and rendering read nothing but their arguments: they run in a process where files, clocks, the
// environment and random numbers are fatal. And they give the same bytes each time.
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <ctime>
#include <iostream>

#include "ov/vm_validate.hpp"
#include "support/render_case.hpp"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define OV_FATAL_CALLS 1
#else
#define OV_FATAL_CALLS 0
#endif

namespace {

bool fatal = false;  ///< set in the child that renders

[[maybe_unused]] void refuse(const char* what) {
    if (!fatal) return;
    const std::string text = std::string("impure call: ") + what + "\n";
    [[maybe_unused]] const auto written = write(2, text.data(), text.size());
    _exit(3);
}

template <class Function>
[[maybe_unused]] Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// Calls that need no system call (the environment) or none that a filter sees (clocks are read in user space).
#if OV_FATAL_CALLS
extern "C" {
char* getenv(const char* name) {
    refuse("getenv");
    static auto* real = next<char*(const char*)>("getenv");
    return real(name);
}
char* secure_getenv(const char* name) {
    refuse("secure_getenv");
    static auto* real = next<char*(const char*)>("secure_getenv");
    return real(name);
}
int clock_gettime(clockid_t clock, struct timespec* now) {
    refuse("clock_gettime");
    static auto* real = next<int(clockid_t, struct timespec*)>("clock_gettime");
    return real(clock, now);
}
time_t time(time_t* now) {
    refuse("time");
    static auto* real = next<time_t(time_t*)>("time");
    return real(now);
}
}
#endif

namespace {

using namespace ov::test;

/// From here on only memory, output and the end of the process are allowed.
void allow_memory_only() {
    constexpr int allowed[] = {
        SYS_brk,
        SYS_mmap,
        SYS_munmap,
        SYS_mremap,
        SYS_madvise,
        SYS_mprotect,
        SYS_write,
        SYS_exit_group,
        SYS_rt_sigreturn,
        SYS_futex,
#if !OV_FATAL_CALLS
        SYS_sigaltstack,  // a sanitizer asks for it when an exception is thrown
#endif
    };
    std::vector<sock_filter> program;
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    for (const int call : allowed) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) _exit(77);
}

struct Texts {
    std::string spec, runtime, facts;
};

Texts full_texts() {
    return {read_text(data_directory() / "golden" / "render" / "full.yml"),
            read_text(data_directory() / "golden" / "render" / "full.runtime.yml"),
            read_text(data_directory() / "data" / "facts" / "libvirt-11.3.yml")};
}

/// Text to text, all of it; the number of errors in front.
std::string everything(const Texts& texts) {
    std::vector<ov::Diagnostic> findings;
    const ov::VmSpec spec = ov::parse_vm_spec(texts.spec, "full", "full.yml", findings);
    const ov::HostFacts facts = ov::parse_host_facts(texts.facts, "facts.yml", findings);
    const ov::VmRuntime runtime = ov::parse_vm_runtime(texts.runtime, "runtime.yml", {}, findings);
    for (const auto& more : {ov::validate(spec, facts), ov::check_markup(spec, runtime)})
        for (const ov::Diagnostic& finding : more)
            if (finding.severity == ov::Severity::error) findings.push_back(finding);
    std::string all = std::to_string(findings.size()) + " errors\n";
    for (const ov::Diagnostic& finding : findings) all += finding.str() + "\n";
    all += ov::render_domain(spec, facts, runtime);
    for (const std::string& word : ov::render_argv(spec, facts, runtime)) all += word + "\n";
    const ov::CloudInitFiles seed = ov::render_cloud_init(spec, runtime);
    return all + seed.user_data + seed.meta_data + seed.network_config;
}

}  // namespace

TEST_CASE("decode, validate and render touch neither files nor clocks nor the environment") {
    const Texts texts = full_texts();
    const std::string expected = everything(texts);  // statics and locales are set up here
    CHECK(expected.starts_with("0 errors\n"));
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        allow_memory_only();
        fatal = true;
        _exit(everything(texts) == expected ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        std::cout << "skipped: this machine takes no seccomp filter\n";
        return;
    }
    if (!OV_FATAL_CALLS) std::cout << "skipped in part: a sanitizer owns clock and environment calls\n";
    CHECK_MESSAGE(!WIFSIGNALED(status), "killed by signal ", WTERMSIG(status), ": a system call that is no memory or output");
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("the same input renders to the same bytes") {
    const Texts texts = full_texts();
    const std::string expected = everything(texts);
    for (int i = 0; i < 100; ++i) REQUIRE(everything(texts) == expected);
}

TEST_CASE("a spec of every block and device family renders to its golden domain, argv and seed") {
    const Texts texts = full_texts();
    const std::string got = everything(texts);
    const auto golden = data_directory() / "golden" / "render" / "full.txt";
    if (std::getenv("OV_UPDATE_GOLDEN") != nullptr) std::ofstream(golden, std::ios::binary) << got;
    CHECK(got == read_text(golden));
}
