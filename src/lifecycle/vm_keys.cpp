#include "lifecycle/vm_keys.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <random>

#include "base/base64.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

std::string trimmed(std::string text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// Type and base64, without the comment.
std::string without_comment(const std::string& line) {
    const std::size_t type = line.find(' ');
    return type == std::string::npos ? line : line.substr(0, line.find(' ', type + 1));
}

SshKeypair ensure_pair(const std::string& private_path, const std::string& public_path, const std::string& what) {
    const auto secret = state::read_file(private_path);
    const auto open = state::read_file(public_path);
    if (!secret && !open) {
        const SshKeypair made = make_ed25519_keypair();
        // The private half first: a crash between the two is then seen as half a pair that can be completed.
        state::write_file(private_path, made.private_file, 0600);
        state::write_file(public_path, made.public_line + "\n", 0644);
        return made;
    }
    if (!secret)
        throw Error(Errc::spec_invalid,
                    fmt::format("{}: half a pair: {} exists, {} does not. Put the private key back, or remove {} "
                                "to have a new pair made (the guest keeps the old key)",
                                what, public_path, private_path, public_path));
    const auto derived = public_line_of(*secret);
    if (!derived)
        throw Error(Errc::spec_invalid,
                    fmt::format("{}: {} is no unencrypted ed25519 key in OpenSSH's format", what, private_path));
    if (!open)
        throw Error(Errc::spec_invalid,
                    fmt::format("{}: half a pair: {} exists, {} does not. `ssh-keygen -y -f {} > {}` restores it", what,
                                private_path, public_path, private_path, public_path));
    if (without_comment(trimmed(*open)) != *derived)
        throw Error(Errc::spec_invalid, fmt::format("{}: {} and {} do not belong together; one of them was replaced", what,
                                                    private_path, public_path));
    return {*secret, trimmed(*open)};
}

std::string read_public_line(const std::string& path) {
    const auto text = state::read_file(path);
    if (!text) throw Error(Errc::not_found, fmt::format("ssh.key_source: {}: no such file", path));
    std::string line = trimmed(*text);
    if (line.empty() || line.find('\n') != std::string::npos || line.starts_with("-----"))
        throw Error(Errc::spec_invalid, fmt::format("ssh.key_source: {}: expected one line with a public key", path));
    return line;
}

/// The private key beside a public one.
void find_private_half(LoginKey& key, const std::string& public_path) {
    std::error_code ignored;
    const std::string half = public_path.ends_with(".pub") ? public_path.substr(0, public_path.size() - 4) : std::string();
    if (!half.empty() && std::filesystem::is_regular_file(half, ignored))
        key.identity_file = half;
    else
        key.notes.push_back(fmt::format("no private key beside {}: logging in needs an agent that holds it", public_path));
}

LoginKey own_key(const std::string& home) {
    LoginKey key;
    bool only_rsa = false;
    for (const char* name : {"id_ed25519", "id_rsa", "id_ecdsa"}) {
        const std::string path = home + "/.ssh/" + name + ".pub";
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(path, ignored)) continue;
        if (std::string_view(name) == "id_rsa" && !rsa_keys_work()) {
            key.notes.push_back(fmt::format("{} was passed over: this build's SSH library cannot log in with RSA keys", path));
            only_rsa = true;
            continue;
        }
        key.public_line = read_public_line(path);
        find_private_half(key, path);
        return key;
    }
    if (only_rsa)
        throw Error(Errc::not_found,
                    fmt::format("ssh.key_source auto: {}/.ssh has an RSA key only, which this build cannot log in "
                                "with; write ssh.key_source: generate",
                                home));
    throw Error(Errc::not_found,
                fmt::format("ssh.key_source auto: no public key in {}/.ssh; name a file in ssh.key_source, or write "
                            "ssh.key_source: generate",
                            home));
}

std::string tmpfiles_of(const std::string& user, const std::string& key) {
    const std::string encoded = base64(key);
    if (user.empty() || user == "root")
        return fmt::format("d {0} 0750 - - -\nf+~ {0}/authorized_keys 700 - - - {1}\n", "/root/.ssh", encoded);
    const std::string drop_in = base64("AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\n");
    // One place that root owns survives cloud-init's rewriting of the user's own file; the other serves an sshd without drop-ins.
    return fmt::format(
        "d /etc/ssh/sshd_config.d 0755 - - -\n"
        "f+~ /etc/ssh/sshd_config.d/00-ov-smbios-ssh.conf 0644 - - - {1}\n"
        "d /etc/ssh/authorized_keys.d 0755 - - -\n"
        "f+~ /etc/ssh/authorized_keys.d/{0} 0644 - - - {2}\n"
        "d /home/{0}/.ssh 0700 {0} {0} -\n"
        "f+~ /home/{0}/.ssh/authorized_keys 0600 {0} {0} - {2}\n",
        user, drop_in, encoded);
}

}  // namespace

LoginKey ensure_login_key(const state::VmFiles& files, const std::string& source, const std::string& home) {
    LoginKey key;
    if (source == "none") return key;
    if (source.empty() || source == "auto") return own_key(home);
    if (source != "generate") {
        key.public_line = read_public_line(source);
        find_private_half(key, source);
        return key;
    }
    state::make_state_directory(files);
    key.public_line = ensure_pair(files.identity(), files.public_key(), "the machine's key").public_line;
    key.identity_file = files.identity();
    return key;
}

SshKeypair ensure_host_key(const state::VmFiles& files) {
    state::make_state_directory(files);
    return ensure_pair(files.host_key(), files.host_public_key(), "the guest's host key");
}

std::vector<std::string> smbios_credentials(const std::string& user, const std::string& public_line) {
    if (public_line.empty()) return {};
    std::vector<std::string> strings;
    if (user.empty() || user == "root") strings.push_back("io.systemd.credential:ssh.authorized_keys.root=" + public_line);
    strings.push_back("io.systemd.credential.binary:tmpfiles.extra=" + base64(tmpfiles_of(user, public_line)));
    return strings;
}

std::string new_instance_id() {
    std::random_device device;
    std::array<unsigned, 4> words{};
    for (unsigned& word : words) word = device();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16U, words[1] & 0xfffU,
                       (words[2] >> 16U & 0x3fffU) | 0x8000U, words[2] & 0xffffU, words[3]);
}

}  // namespace ov
