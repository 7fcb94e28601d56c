"""What is not installed is told with the extra that brings it."""

import pytest

from hybridvit.extras import needing


def test_the_remedy_works_where_it_is_installed():
    with pytest.raises(ModuleNotFoundError) as error, needing("onnx", "ONNX files need"):
        import nothing_of_that_name.inner  # noqa: F401
    assert str(error.value) == "ONNX files need nothing_of_that_name: pip install 'hybridvit[onnx]'"
    assert error.value.name == "nothing_of_that_name"


def test_a_module_of_ours_that_is_missing_is_a_bug():
    with pytest.raises(ModuleNotFoundError, match="No module named"), needing("onnx", "ONNX files need"):
        import hybridvit.nothing_of_that_name  # noqa: F401
