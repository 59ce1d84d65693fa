#include "deploy/package_repair.hpp"

#include "plan/script_text.hpp"

namespace ov {

asio::awaitable<void> repair_packages(GuestSession& session, GuestLedger& ledger, Deadline deadline) {
    const GuestParts library = {GuestPart::packages};
    for (auto& [name, record] : ledger.layers) {
        if (!record.contains("reverse_ops") || !record["reverse_ops"].is_array()) continue;
        LedgerJson kept = LedgerJson::array();
        for (LedgerJson op : record["reverse_ops"]) {
            const ReverseOp parsed = reverse_op_of(op);
            if (parsed.kind == "package-remove" && parsed.targets.empty() && parsed.extra.contains("before")) {
                const std::string script = script_call("ov_print_added", {parsed.format, parsed.extra.at("before")});
                const std::string added =
                    co_await session.must(RunAs::root, library, script, "packages of an interrupted run", deadline);
                LedgerJson names = LedgerJson::array();
                for (std::size_t at = 0, end = 0; (end = added.find('\n', at)) != std::string::npos; at = end + 1)
                    names.push_back(added.substr(at, end - at));
                if (names.empty()) continue;
                op["targets"] = std::move(names);
                op.erase("extra");
            }
            kept.push_back(std::move(op));
        }
        record["reverse_ops"] = std::move(kept);
    }
}

}  // namespace ov
