// The labels of an image as what they encode; a malformed one is an error that names it (`image-transfer.md` 4). Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace ov {

inline constexpr const char* label_prefix = "org.overthinkos.";

/// Keys are without "org.overthinkos."; an absent label is empty.
class PodLabelReader {
public:
    explicit PodLabelReader(const std::map<std::string, std::string>& labels) : labels_(labels) {}

    std::string text(const std::string& key) const;
    nlohmann::json object(const std::string& key) const { return parsed(key, nlohmann::json::value_t::object); }
    nlohmann::json list(const std::string& key) const { return parsed(key, nlohmann::json::value_t::array); }
    std::vector<std::string> words(const std::string& key) const;
    std::optional<int> number(const std::string& key) const;
    /// Labels that a unit does not use must still be what they claim.
    void check_rest() const;

    [[noreturn]] static void malformed(const std::string& key, const std::string& why);

private:
    nlohmann::json parsed(const std::string& key, nlohmann::json::value_t kind) const;
    const std::map<std::string, std::string>& labels_;
};

/// Text of a member of an item of label `label`; a number as it is written, nothing when it is absent.
std::string label_member(const nlohmann::json& object, const char* key, const std::string& label);
/// A member that is a list of texts.
std::vector<std::string> label_members(const nlohmann::json& object, const char* key, const std::string& label);

}  // namespace ov
