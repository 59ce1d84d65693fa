// The fields of a deploy node: one list for whoever reads, writes or orders them (`cli-and-config.md` 5.2).
#pragma once

#include <string_view>

namespace ov::spec {

struct DeployField {
    std::string_view name;
    bool opaque = false;  ///< of another kind of target: any YAML, kept as it is
};

/// In the order in which they are saved.
inline constexpr DeployField deploy_fields[] = {
    {"version"},
    {"description", true},
    {"tunnel", true},
    {"dns", true},
    {"acme_email", true},
    {"volume", true},
    {"port", true},
    {"resolved_port", true},
    {"env"},
    {"env_file", true},
    {"security", true},
    {"network", true},
    {"engine", true},
    {"secret", true},
    {"forward_gpg_agent", true},
    {"forward_ssh_agent", true},
    {"sidecar", true},
    {"eval"},
    {"shell", true},
    {"target"},
    {"kubernetes", true},
    {"kind", true},
    {"replica", true},
    {"restart", true},
    {"schedule", true},
    {"resources", true},
    {"expose", true},
    {"storage", true},
    {"probes", true},
    {"add_layer"},
    {"install_opts"},
    {"image"},
    {"pod"},
    {"vm"},
    {"k8s", true},
    {"local", true},
    {"android", true},
    {"host"},
    {"user"},
    {"ssh_arg"},
    {"cpus"},
    {"ram"},
    {"disk_size"},
    {"vm_state"},
    {"disposable"},
    {"lifecycle"},
    {"ephemeral", true},
    {"preemptible", true},
    {"requires_exclusive"},
    {"from_snapshot"},
    {"cloud_init_clean", true},
    {"tag"},
    {"nested"},
};

}  // namespace ov::spec
