// Scripts of the task verbs: cmd, mkdir, copy, write, link, download, setcap.
#pragma once

#include "plan/step_script.hpp"

namespace ov {

std::vector<Upload> task_uploads(const TaskStep& task);
GuestStep render_task(const TaskStep& task, const StepContext& context);

/// `body` with every `/ctx` that stands as a path of its own, or begins one, replaced by `directory`.
std::string replace_ctx(std::string_view body, std::string_view directory);

}  // namespace ov
