"""The version, alone in a file so that the build and the files we write read the same one."""

__version__ = "0.1.0.dev0"
