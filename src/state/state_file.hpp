// Whole-file state that several processes may edit: lock, read again, write beside, rename.
//
// All functions block (fsync, waiting for the lock): call them on the blocking pool. Never hold a lock while a child process
// runs, a machine is asked or a person is prompted.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ov::state {

/// An exclusive advisory lock on a file of its own, held while the object lives. The file stays; it holds the pid of the
/// last holder, for messages.
class FileLock {
public:
    /// Creates parents and the lock file as needed. Throws Error{busy} naming the file and, if known, the holder's pid when
    /// `wait` has passed; Error{cancelled} when `cancelled` says so; Error{io}.
    static FileLock acquire(const std::string& path, std::chrono::milliseconds wait = std::chrono::seconds(30),
                            const std::function<bool()>& cancelled = {});
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

private:
    explicit FileLock(int descriptor) noexcept : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

/// The file's bytes, or nullopt when there is none. Throws Error{io} for anything else.
std::optional<std::string> read_file(const std::string& path);

/// Replaces the file as a whole: temporary file in the same directory, mode, fsync, rename, fsync of the directory. Where
/// `path` is a symbolic link its target is replaced. On any failure the old file stays and the temporary one is removed.
void write_file(const std::string& path, std::string_view content, unsigned mode = 0600);

/// Removes what a killed `write_file` left in the directory: temporaries of the file `name`, or of every file when it is empty.
/// For holders of the lock under which those files are written.
void remove_stale_temporaries(const std::string& directory, std::string_view name = {});

/// Removes the file, if there, and syncs its directory.
void remove_file(const std::string& path);

}  // namespace ov::state
