import { type Command, CommanderError } from "commander";

/** The exit status of a command that was asked wrongly. */
const USAGE = 2;

/** Runs one of `commands`; a wrong option, argument or command ends with status 2, help with 0. */
export async function run(program: Command, commands: readonly Command[]): Promise<void> {
  // `holdfast plan | head` closes our output early, which is no error of ours
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  program.exitOverride().showHelpAfterError("(add --help for how to use it)");
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : USAGE;
  }
}
