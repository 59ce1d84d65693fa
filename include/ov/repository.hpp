// Git repositories that references name, and where one version of them is checked out on this machine.
#pragma once

#include <compare>
#include <map>
#include <string>

namespace ov {

/// One repository ("github.com/acme/infra") at one tag or branch; an empty version is the default branch.
struct RepositoryAt {
    std::string repository, version;
    auto operator<=>(const RepositoryAt&) const = default;
};

/// A repository as fetched.
struct Checkout {
    std::string directory;  ///< absolute
    std::string version;    ///< tag or branch that was checked out, also when the default branch was asked for
    std::string commit;
};
using Checkouts = std::map<RepositoryAt, Checkout>;

}  // namespace ov
