import jax
import pytest

from hybridvit.runtime.compilation import enable_compilation_cache


@pytest.fixture
def folder():
    """Where JAX keeps programs now; put back afterwards."""
    before = jax.config.jax_compilation_cache_dir
    yield lambda: jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", before)


def test_the_folder_is_taken_and_an_empty_one_changes_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    enable_compilation_cache(str(tmp_path))
    assert folder() == str(tmp_path)
    enable_compilation_cache("")
    assert folder() == str(tmp_path)


def test_what_jax_was_told_goes_first(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "asked"))
    before = folder()
    enable_compilation_cache(str(tmp_path / "ours"))
    assert folder() == before
