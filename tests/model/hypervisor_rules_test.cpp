// vm-spec.md 8: features, CPU, clock, tuning, security, sysinfo.
#include "model/rows.hpp"

using ov::Severity;
using ov::test::check_rows;
using ov::test::recorded_facts;
using ov::test::RuleRow;

TEST_CASE("8.1, 8.3 features and clock") {
    const RuleRow rows[] = {
        {"W11 on|off words", "libvirt: {features: {kvm: {hidden: maybe}}}", "libvirt.features.kvm.hidden", "'maybe'"},
        {"W11 other spellings", "libvirt: {features: {kvm: {hidden: true, pv_ipi: yes}}}", ""},
        {"8.1 ring", "libvirt: {features: {kvm: {dirty_ring_size: 1000}}}", "libvirt.features.kvm.dirty_ring_size", "1000"},
        {"8.1 vendor id", "libvirt: {features: {hyperv: {vendor_id: {state: on, value: thirteen_char}}}}",
         "libvirt.features.hyperv.vendor_id.value", "12"},
        {"6 spinlock retries", "libvirt: {features: {hyperv: {spinlocks: {state: on, retries: 100}}}}",
         "libvirt.features.hyperv.spinlocks.retries", "4095"},
        {"4 ibs", "libvirt: {features: {ibs: broken}}", "libvirt.features.ibs", "pSeries"},
        {"8.3 offset", "libvirt: {clock: {offset: gmt}}", "libvirt.clock.offset", "gmt"},
        {"8.3 timezone is needed", "libvirt: {clock: {offset: timezone}}", "libvirt.clock", "timezone"},
        {"8.3 timezone elsewhere", "libvirt: {clock: {timezone: Europe/Berlin}}", "libvirt.clock.timezone", "offset: timezone"},
        {"8.3 basis", "libvirt: {clock: {basis: utc}}", "libvirt.clock.basis", "variable"},
        {"8.3 adjustment with utc", "libvirt: {clock: {offset: utc, adjustment: 3600}}", "libvirt.clock.adjustment", "reset"},
        {"8.3 reset", "libvirt: {clock: {offset: localtime, adjustment: reset}}", ""},
        {"8.3 start is needed", "libvirt: {clock: {offset: absolute}}", "libvirt.clock", "start"},
        {"8.3 start elsewhere", "libvirt: {clock: {start: 1}}", "libvirt.clock.start", "absolute"},
        {"8.3 timer", "libvirt: {clock: {timers: [{name: apic}]}}", "libvirt.clock.timers[0].name", "apic"},
        {"8.3 tickpolicy", "libvirt: {clock: {timers: [{name: rtc, tickpolicy: merge}]}}", "libvirt.clock.timers[0].tickpolicy",
         "delay and catchup"},
        {"8.3 frequency", "libvirt: {clock: {timers: [{name: hpet, frequency: 1000}]}}", "libvirt.clock.timers[0].frequency",
         "tsc"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("8.2 cpu") {
    const RuleRow rows[] = {
        {"8.2 mode", "libvirt: {cpu: {mode: host}}", "libvirt.cpu.mode", "host-passthrough"},
        {"8.2 maximum", "libvirt: {cpu: {mode: maximum}}", ""},
        {"4d custom without model", "libvirt: {cpu: {mode: custom}}", "libvirt.cpu", "libvirt.cpu.model"},
        {"W25 check", "libvirt: {cpu: {check: some}}", "libvirt.cpu.check", "some"},
        {"8.2 migratable", "libvirt: {cpu: {mode: host-model, migratable: on}}", "libvirt.cpu.migratable", "host-passthrough"},
        {"W7 topology", "cpu: 4\nlibvirt: {cpu: {topology: {sockets: 1, cores: 3}}}", "libvirt.cpu.topology",
         "is 3, the machine has 4"},
        {"W7 dies count", "cpu: 4\nlibvirt: {cpu: {topology: {dies: 2, cores: 2}}}", ""},
        {"8.2 feature name", "libvirt: {cpu: {features: [{policy: require}]}}", "libvirt.cpu.features[0]", "name"},
        {"8.2 policy", "libvirt: {cpu: {features: [{name: x, policy: must}]}}", "libvirt.cpu.features[0].policy", "must"},
        {"W9 svm on Intel", "libvirt: {cpu: {features: [{name: svm}]}}", "libvirt.cpu.features[0]", "GenuineIntel"},
        {"W9 svm disabled on Intel", "libvirt: {cpu: {features: [{name: svm, policy: disable}]}}", ""},
        {"8.2 cache", "libvirt: {cpu: {cache: {mode: emulate, level: 2}}}", "libvirt.cpu.cache", "level: 3"},
        {"W8 numa sum", "ram: 2G\nlibvirt: {cpu: {numa: [{cpus: '0', memory: 512}]}}", "libvirt.cpu.numa",
         "512 MiB, the machine has 2048"},
        {"W8 numa", "ram: 2G\nlibvirt: {cpu: {numa: [{cpus: '0', memory: 1, unit: GiB}, {cpus: '1', memory: 1024}]}}", ""},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("8.4, 8.5 memory and tuning") {
    const RuleRow rows[] = {
        {"W17 hugepages", "libvirt: {memory_backing: {hugepages: {size: big}}}", "libvirt.memory_backing.hugepages.size", "big"},
        {"W25 source", "libvirt: {memory_backing: {source: ram}}", "libvirt.memory_backing.source", "memfd"},
        {"W25 access", "libvirt: {memory_backing: {access: all}}", "libvirt.memory_backing.access", "all"},
        {"W25 allocation", "libvirt: {memory_backing: {allocation: lazy}}", "libvirt.memory_backing.allocation", "lazy"},
        {"6.2 virtiofs and private",
         "libvirt: {memory_backing: {access: private}, devices: {filesystems: [{driver: virtiofs, source: /s, target: t}]}}",
         "libvirt.memory_backing.access", "shared"},
        {"W5 memtune", "libvirt: {memtune: {hard_limit: 8 gigs}}", "libvirt.memtune.hard_limit", "8 gigs"},
        {"4c min_guarantee", "libvirt: {memtune: {min_guarantee: 1G}}", "libvirt.memtune.min_guarantee", "remove it"},
        {"W5 a limit that kills", "libvirt: {memtune: {hard_limit: 8192}}", "libvirt.memtune.hard_limit", "killed",
         Severity::warning},
        {"W25 numatune mode", "libvirt: {numatune: {memory: {mode: exact, nodeset: '0'}}}", "libvirt.numatune.memory.mode",
         "exact"},
        {"13 memnode needs cells", "libvirt: {numatune: {memnodes: [{cellid: 0, mode: strict, nodeset: '0'}]}}",
         "libvirt.numatune.memnodes[0].cellid", "libvirt.cpu.numa"},
        {"8.5 period", "libvirt: {cputune: {period: 10}}", "libvirt.cputune.period", "1000"},
        {"8.5 vcpupin", "libvirt: {cputune: {vcpupin: [{vcpu: 7, cpuset: '0'}]}}", "libvirt.cputune.vcpupin[0].vcpu",
         "no vCPU 7"},
        {"16 iothreadpin", "libvirt: {cputune: {iothreadpin: [{iothread: 1, cpuset: '0'}]}}",
         "libvirt.cputune.iothreadpin[0].iothread", "no iothread 1"},
        {"8 iothreads", "libvirt: {iothreads: -1}", "libvirt.iothreads", "-1"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("8.6 security, resource, sysinfo, snippets") {
    const RuleRow rows[] = {
        {"40 dynamic relabels", "libvirt: {seclabel: {type: dynamic, model: selinux, relabel: no}}", "libvirt.seclabel.relabel",
         "must relabel"},
        {"W25 seclabel type", "libvirt: {seclabel: {type: mls}}", "libvirt.seclabel.type", "mls"},
        {"W25 seclabel model", "libvirt: {seclabel: {type: none, model: smack}}", "libvirt.seclabel.model", "smack"},
        {"8.6 launch security", "libvirt: {launch_security: {type: sgx}}", "libvirt.launch_security.type", "sgx"},
        {"W19 policy is needed", "libvirt: {launch_security: {type: sev}}", "libvirt.launch_security", "policy"},
        {"W19 policy", "libvirt: {launch_security: {type: sev, policy: 0x3z}}", "libvirt.launch_security.policy", "0x3z"},
        {"W19 tdx has no policy to need", "libvirt: {launch_security: {type: tdx, session: x}}",
         "libvirt.launch_security.session", "tdx"},
        {"8.6 partition", "libvirt: {resource: {partition: machine}}", "libvirt.resource.partition", "absolute"},
        {"W24 fwcfg", "libvirt: {sysinfo: {type: fwcfg}}", "libvirt.sysinfo.type", "fwcfg"},
        {"43 entries", "libvirt: {sysinfo: {bios: {vendr: x}}}", "libvirt.sysinfo.bios.vendr", "did you mean \"vendor\"?"},
        {"44 processor", "libvirt: {sysinfo: {processor: [{version: x}]}}", "libvirt.sysinfo.processor[0]", "no libvirt takes"},
        {"43 line breaks", "libvirt: {sysinfo: {oem_strings: [\"a\\nb\"]}}", "libvirt.sysinfo.oem_strings[0]", "line break"},
        {"8 blank snippet", "libvirt: {snippets: ['  ']}", "libvirt.snippets[0]", "empty"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}
