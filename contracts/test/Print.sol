// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Lines that the test runner prints.
library Print {
    address private constant CONSOLE = 0x000000000000000000636F6e736F6c652e6c6f67;

    function line(string memory text) internal view {
        _send(abi.encodeWithSignature("log(string)", text));
    }

    function line(string memory text, uint256 a) internal view {
        _send(abi.encodeWithSignature("log(string,uint256)", text, a));
    }

    function line(string memory text, uint256 a, uint256 b) internal view {
        _send(abi.encodeWithSignature("log(string,uint256,uint256)", text, a, b));
    }

    function _send(bytes memory call) private view {
        // A runner without a console takes no notice.
        (bool heard, ) = CONSOLE.staticcall(call);
        heard;
    }
}
