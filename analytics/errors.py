"""The exceptions Assay raises on purpose; every message tells the user what to do next."""

from __future__ import annotations


class AssayError(Exception):
    """Base of all errors a user can mend; the text is one clear line without a traceback."""


class ProjectError(AssayError):
    """The project file is missing, unreadable, or says something that is not accepted."""


class NotSupportedYetError(ProjectError):
    """The project file uses a promised section that this release does not compute yet."""


class ScopeError(AssayError):
    """A window, version, filter, grain or other part of the question cannot be understood."""


class TelemetryError(AssayError):
    """A log cannot be read, or lacks what the project file says is in it."""


class FileVanishedError(TelemetryError):
    """A log file was deleted or moved after it was listed; list the files again and ask once more."""


class QueryTimeoutError(AssayError):
    """A query ran past its time limit."""


class QueryStoppedError(AssayError):
    """A query was stopped because nobody waits for its answer any more."""


class RemoteError(AssayError):
    """Object storage cannot be listed, read or written: not reached, access denied, no such bucket."""


class EngineError(AssayError):
    """An engine that the project names cannot be reached or used, or does not understand the question."""


class ExpressionError(ProjectError):
    """An expression of the project file is not one, or uses what is not allowed."""


class ExperimentError(AssayError):
    """Numbers of an experiment, or of its plan, that make no sense."""


class StoreError(AssayError):
    """What people said cannot be kept, or read again, where the store is; or it is not what the store keeps."""
