"""Background work about money. It belongs to the platform: a task names what it works on, never a company's scope.

Tasks are idempotent: two workers given the same one leave the same rows. One thought a file; every module of this
package is read here, so Celery and the web processes know its tasks.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
