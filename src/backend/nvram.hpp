// The UEFI variables of one VM: its own copy of the firmware's template (`vm-spec.md` 11.2, W16).
#pragma once

#include <string>

namespace ov {

struct NvramRequest {
    std::string path;        ///< "<state>/nvram.fd"; its directory is made (0755) when it is missing
    std::string vars;        ///< template of the chosen firmware
    std::string remembered;  ///< template that the existing file came from, as recorded in the VM's state; empty: unknown
};

/// Copies the template where there is no file yet: temporary file, fsync, rename, mode 0600. An existing file is never touched,
/// since it holds what the guest wrote; when it came from another template or has another size than this one it would not work
/// with the firmware: Error{spec_invalid} naming both and the remedy. True if a file was made. Call it under the VM's lock.
bool ensure_nvram(const NvramRequest& request);

}  // namespace ov
