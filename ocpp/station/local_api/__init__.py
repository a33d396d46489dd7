"""The local API: JSON over HTTP for installers, pages and test tools. Needs the extra `api`."""
