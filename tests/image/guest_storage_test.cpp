// Which failures of a mount mean that an image is torn: podman's words as it says them.
#include "image/guest_storage.hpp"

#include <doctest/doctest.h>

TEST_CASE("an image is torn when podman misses a part of it, and for no other reason (image-transfer.md 1.4)") {
    const struct {
        const char* what;
        bool torn;
        const char* words;
    } rows[] = {
        {"the directory of a layer", true,
         "Error: stat /home/me/.local/share/containers/storage/overlay/09234d: no such file or directory"},
        {"what a lower layer holds", true,
         "Error: creating overlay mount to /var/lib/containers/storage/overlay/0923/merged, mount_data=\"lowerdir=...,ro\": no "
         "such file or "
         "directory"},
        {"that, as fuse-overlayfs says it", true,
         "Error: creating overlay mount to /srv/graph/overlay/0923/merged: using mount program /usr/bin/fuse-overlayfs: cannot "
         "resolve "
         "path /srv/graph/overlay/l/ZCL5\nfuse-overlayfs: cannot read lower dirs: No such file or directory\n: exit status 1"},
        {"the links between layers", true,
         "Error: recreating the missing symlinks: 1 error occurred:\n\t* correcting link for layer ef95: open "
         "/var/lib/containers/storage/overlay/ef95/link: no such file or directory"},
        {"a directory of the vfs driver", true,
         "Error: stat /home/me/.local/share/containers/storage/vfs/dir/4aa9: no such file or directory"},
        {"the list of layers", true, "Error: layer not known"},
        {"a full disk", false, "Error: mkdir /var/lib/containers/storage/overlay/0923/merged: no space left on device"},
        {"a full disk beside a warning", false,
         "level=warning msg=\"open /var/lib/containers/storage/overlay/l/ZCL5: no such file or directory\"\nError: symlink "
         "/var/lib/containers/storage/overlay/l/ZCL5: no space left on device"},
        {"a quota", false, "Error: mkdir /home/me/.local/share/containers/storage/overlay/0923/merged: disk quota exceeded"},
        {"no right to mount", false,
         "Error: creating overlay mount to /home/me/.local/share/containers/storage/overlay/0923/merged: using mount program "
         "/usr/bin/fuse-overlayfs: fuse: failed to open /dev/fuse: Permission denied"},
        {"a locked database", false, "Error: database is locked"},
        {"no runtime directory", false, "Error: creating runtime directory /run/user/1000: no such file or directory"},
        {"nothing", false, ""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK(ov::names_missing_layer(row.words) == row.torn);
    }
}
