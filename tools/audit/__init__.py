"""What is known against the locked dependencies: make audit."""
