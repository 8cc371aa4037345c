# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways that join two LANs: their interfaces are ports of bridges, and a host behind each end
measures. Each has the same way without bridges beside it, to be compared with.

    host -- eth0   lan0 -- br0 -- n2n0 ..... n2n0 -- br0 -- lan0   eth0 -- host
"""

from peers import Fastd, Tinc
from ways import N2n, Vxlan


class Bridged:
    """Goes before the class of a way that can carry frames of others. The hosts behind it have its
    MTU, as their user would have to tell them."""

    bridged = True

    def place(self, net):
        super().place(net)
        self.near, self.far = net.behind(self.key)

    def set_address(self, side):
        """The interface has none: it becomes a port, and the host behind the bridge has it."""
        self.wait_device(side)
        host, behind = (self.a, self.near) if side == "a" else (self.b, self.far)
        host.run("ip", "link", "set", self.device, "master", "br0", "up")
        behind.run("ip", "link", "set", "eth0", "mtu", self.mtu(host), "up")
        behind.run("ip", "addr", "replace", f"{self.address(side)}/24", "dev", "eth0")


class BridgedVxlan(Bridged, Vxlan):
    key, title, of = "vxlan-br", "kernel VXLAN, bridged", "vxlan"


class BridgedN2n(Bridged, N2n):
    """With the MTU that n2n has without a bridge, so that a frame takes one packet."""

    key, title, of = "n2n-br", "n2n bridged (-M 1376)", "n2n"

    def __init__(self, programs, options=("-M", 1376)):
        super().__init__(programs, options=options)

    def interface_words(self, side):
        return ("-r",)

    def start(self, side):
        programs = super().start(side)
        self.set_address(side)
        return programs


class BridgedTinc(Bridged, Tinc):
    key, title, of = "tinc-br", "tinc, bridged", "tinc"


class BridgedFastd(Bridged, Fastd):
    key, title, of = "fastd-br", "fastd, bridged", "fastd"


class BridgedFullN2n(BridgedN2n):
    """With its default, the MTU of the LANs, so that full frames take two packets."""

    key, title, of = "n2n-br-1500", "n2n bridged (-M 1500)", "n2n-1500"

    def __init__(self, programs):
        super().__init__(programs, options=())


OF = {way.key: way.of for way in
      (BridgedVxlan, BridgedN2n, BridgedFullN2n, BridgedTinc, BridgedFastd)}


def with_bridged(ways, programs):
    """These, each followed by the same with bridges, if there is one."""
    every = [BridgedVxlan(), BridgedN2n(programs), BridgedFullN2n(programs), BridgedTinc(),
             BridgedFastd()]
    return [way for plain in ways for way in
            (plain, *(way for way in every if way.of == plain.key))]
