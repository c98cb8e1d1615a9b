"""The emulated account: MiniStack with our plug-ins, deployed to by the synthesized stacks."""
