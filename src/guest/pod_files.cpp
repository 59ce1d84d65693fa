#include "guest/pod_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "ov/error.hpp"

namespace ov::guest {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string config_directory() {
    const std::string xdg = variable("XDG_CONFIG_HOME");
    if (xdg.starts_with("/")) return xdg;
    const std::string home = variable("HOME");
    if (!home.starts_with("/")) throw Error(Errc::io, "HOME is not set");
    return home + "/.config";
}

std::string pods_directory() {
    return config_directory() + "/ov/pods";
}

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) {
    if (fs::exists(path) && read(path) == text) return;
    fs::create_directories(fs::path(path).parent_path());
    const std::string temporary = path + ".tmp";
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = file >= 0 && ::fchmod(file, 0600) == 0;
    good = good && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
    const int problem = errno;
    if (file >= 0) ::close(file);
    if (!good || ::rename(temporary.c_str(), path.c_str()) != 0) {
        const int cause = good ? errno : problem;
        ::unlink(temporary.c_str());
        throw Error(Errc::io, fmt::format("{}: {}", path, std::strerror(cause)));
    }
}

PodFiles::PodFiles(const std::string& container)
    : service(container + ".service"),
      quadlet(config_directory() + "/containers/systemd/" + container + ".container"),
      generated(config_directory() + "/systemd/user/" + service),
      owner(pods_directory() + "/" + container + ".owner"),
      made_from(pods_directory() + "/" + container + ".unit"),
      environment(pods_directory() + "/" + container + ".env"),
      pre_remove(pods_directory() + "/" + container + ".pre_remove") {}

bool PodFiles::has_unit() const {
    return fs::exists(quadlet) || fs::exists(generated);
}

std::string PodFiles::owner_deploy() const {
    const std::string text = read(owner);
    return text.substr(0, text.find('\n'));
}

void PodFiles::remove() const {
    for (const std::string& file : {quadlet, generated, made_from, environment, pre_remove, owner}) fs::remove(file);
}

}  // namespace ov::guest
