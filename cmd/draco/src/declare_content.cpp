// Content: what a node has, and what is got from it.
#include "argument_checks.hpp"
#include "command_frame.hpp"

namespace draco {

void add_content_commands(CommandLine& line) {
    CLI::App* root = &line.app;
    CLI::App* put = command(line, root, "put", "Publish a file or a folder on your node", [&line] {
        return run_put(line.invocation, line.content);
    });
    put->add_option("PATH", line.content.path, "what to publish")->required();
    put->add_flag("--no-pin", line.content.no_pin, "let it go when the node needs the room");
    CLI::App* get = command(
        line,
        root,
        "get",
        "Fetch content, verified block by block",
        [&line] { return run_get(line.invocation, line.get); },
        [&line] { return check_get(line.invocation, line.get); });
    get->add_option("HASH",
                    line.get.what,
                    "its address; HASH/PATH names a file in a folder; or the URL of either")
        ->required()
        ->check(content_address());
    get->add_option(
        "-o,--output",
        line.get.output,
        "the file or folder to write; - is standard output, and a device is written to");
    get->add_flag("--force",
                  line.get.force,
                  "replace the file that is there; in a folder, what has the same names");
    get->add_flag("--pay",
                  line.get.pay,
                  "on a lane to the node that is asked, opened if need be; without it a node "
                  "delivers about 1 MiB/s after the first 16 MiB");
    get->add_option("--reserve", line.get.reserve_usd, "USD, of a lane that is opened (1)")
        ->check(some_usd());
    get->add_option("--max-entries",
                    line.get.limits.entries_max,
                    "files, folders and links in a folder (1000000)");
    get->add_option("--max-bytes", line.get.limits.bytes_max, "of all files together (256 GiB)")
        ->transform(CLI::AsSizeValue(false));
    get->add_option("--max-depth", line.get.limits.depth_max, "of folders inside each other (64)")
        ->check(CLI::Range(1, 4096));
    add_sender(get, line.get.sender);
    CLI::App* list = command(line, root, "ls", "What your node stores, or a folder in it", [&line] {
        return run_ls(line.invocation, line.content);
    });
    list->add_option("HASH", line.content.hash, "of a folder: its entries; also HASH/PATH")
        ->check(content_address());
    list->add_flag("--all", line.content.all, "every object, not only what was put");
    CLI::App* pin =
        command(line, root, "pin", "Keep content on your node, fetched if need be", [&line] {
            return run_pin(line.invocation, line.content);
        });
    CLI::App* unpin =
        command(line, root, "unpin", "Let content go when your node needs the room", [&line] {
            return run_unpin(line.invocation, line.content);
        });
    command(line, root, "acks", "What clients have acknowledged to your node", [&line] {
        return run_acks(line.invocation);
    });
    CLI::App* remove = command(line, root, "rm", "Remove content from your node", [&line] {
        return run_rm(line.invocation, line.content);
    });
    for (CLI::App* each : {pin, unpin, remove}) {
        each->add_option("HASH", line.content.hash, "its address; HASH/PATH names what is in it")
            ->required()
            ->check(content_address());
        each->add_flag("--this-object-only",
                       line.content.this_object_only,
                       "of a folder only the list of its entries");
    }
}

}  // namespace draco
